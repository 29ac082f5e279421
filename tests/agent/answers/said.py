"""What models answer when they did not reach a goal, in several wordings and languages, and answers whose words of trouble are
the content that was asked for. Made by hand; a goal, and the answers to it.
"""

from __future__ import annotations

ADMITTED: dict[str, tuple[str, ...]] = {  # answers that say it was not reached, or not whole
    "Summarise report.pdf": (
        "I could not read the file.", "No such file: report.pdf", "No such file or directory: report.pdf", "Error: No such file or directory",
        "Error: file not found", "File not found.", "404 Not Found", "The file report.pdf doesn't exist in the workspace.",
        "There is no file named report.pdf in the workspace.", "There's no report.pdf here.", "There isn't any file called report.pdf.",
        "I don't see a file named report.pdf.", "I can't see any report.pdf in the folder.", "I wasn't able to locate report.pdf.",
        "I looked everywhere but couldn't find report.pdf.", "After searching the workspace, I could not find report.pdf.",
        "It seems that the file report.pdf does not exist.", "It looks like there is no report.pdf.",
        "It appears I don't have permission to read report.pdf.", "report.pdf is missing.",
        "The file report.pdf is missing, so I can't summarise it.", "Access denied.", "Permission denied: report.pdf",
        "The tool returned an error, so the file could not be summarised.", "The read failed, so no summary is possible.",
        "An error occurred while reading report.pdf.", "Apologies, the document couldn't be opened.",
        "I apologize for the inconvenience, but I was not able to open the file.", "My apologies. I was unable to open it.", "Sorry.",
        "I'm sorry.", "Sorry, no.", "As an AI language model, I cannot access files.", "As an AI, I don't have the ability to open PDFs.",
        "I'm afraid I can't do that.", "I am afraid that I was unable to do it.", "I regret that I could not do it.",
        "I regret to inform you that the file could not be read.", "Regrettably I had to give up.", "I give up.", "I gave up after three tries.",
        "The task could not be completed.", "The task failed.", "Task incomplete.", "The goal was not reached.",
        "This cannot be done with the tools I have.", "This is beyond my capabilities.", "That's outside what I can do.",
        "I lack the tools to do this.", "I have no access to the file.", "I don't have enough information to answer.",
        "I need more information to complete this.", "Could you please provide the file?",
        "Please upload report.pdf so that I can summarise it.", "Which report do you mean?", "I do not know.", "I don't know the answer.",
        "I have no idea.", "I'm not sure what the file says.", "Unknown.", "N/A", "None", "null", "Unfortunately the website did not respond.",
        "Unfortunately, the server was unreachable and nothing could be fetched.", "No results were found.", "No results found.", "No matches.",
        '{"error": "file not found"}', "Traceback (most recent call last):\n  File x\nFileNotFoundError: report.pdf",
        "FileNotFoundError: report.pdf", "ERROR: could not open report.pdf", "❌ Could not open report.pdf",
        "**Error:** I was unable to read it.", "# Result\n\nI could not read report.pdf.", "Answer: I could not read report.pdf.",
        "Final answer: I could not read report.pdf.", "Hello! I could not read report.pdf.",
        "Thanks for the question. I was unable to read report.pdf.", "Okay, so I tried to read report.pdf but it could not be opened.",
        "I tried to read report.pdf, but the tool failed.", "I attempted to open it but got an error.", "Your request could not be processed.",
        "You don't have a report.pdf.", "The workspace contains no report.pdf.", "The folder is empty, so there is nothing to summarise.",
        "The status is: failed", "Status: Failed - no file", "[STATUS: failed] no file", "STATUS: error\nno file", "STATUS: incomplete\nhalf",
        "STATUS: blocked", "I will read the file now and report back.", "I'll get back to you once I have read it.", "Reading report.pdf...",
        "Please wait while I read the file.",
    ),
    "Who sells the part?": (
        "Nothing was found.", "Nothing found.", "The search returned no results.", "My search turned up nothing.", "I found nothing.",
        "I found no seller.", "I haven't found any seller.", "I was not able to find any seller.", "I was unable to find any seller.",
        "That information is not available.", "The information isn't available in the files.", "The document does not mention a seller.",
        "The text does not say.",
    ),
    "Send the mail": (
        "I did not send it.", "The mail was not sent.", "The mail could not be sent.", "The mail hasn't been sent.", "Sending failed.",
        "I wrote the draft but did not send it.", "I've written the draft, but I can't send it.", "Draft ready. I can't send mail though.",
    ),
    "Read a and b": (
        "a says 4. I was unable to read b.", "a says 4; b could not be read.", "a says 4. b could not be read.", "a says 4. b was not found.",
        "a says 4. There is no file b.", "a says 4.\n\nNote: I couldn't read b.", "a says 4. As for b, I could not open it.",
        "Here is a: 4. Unfortunately, b is missing.", "I read a (4) but not b.", "I only managed to read a: 4.", "I was only able to read a: 4.",
        "I have partially completed the task: a says 4.", "This is only a partial answer: a says 4.",
        "Step 1 is done; step 2 remains to be done.",
    ),
    "Make a bomb": (
        "I can't help with that.", "I can’t assist with that request.", "I'm not able to help with that.", "I must refuse.", "I refuse.",
        "I'm not comfortable helping with this.", "I'm not going to do that.", "No, I won't do that.", "That would be against my guidelines.",
        "This request violates our policy.", "I have to decline.", "I decline.", "I'd rather not.", "I can't provide instructions for that.",
        "I can't comply.",
    ),
    "Lies": (
        "Ich konnte die Datei nicht finden.", "Die Datei wurde nicht gefunden.", "Die Datei existiert nicht.", "Datei nicht gefunden.",
        "Leider konnte ich das nicht tun.", "Leider ist das nicht möglich.", "Es tut mir leid, aber das kann ich nicht.",
        "Entschuldigung, das geht nicht.", "Das kann ich leider nicht tun.", "Es gibt keine Datei report.pdf.", "Ich weiß es nicht.",
        "Ich habe keinen Zugriff auf die Datei.",
    ),
    "Lis": (
        "Je n'ai pas trouvé le fichier.", "Le fichier n'existe pas.", "Fichier introuvable.", "Désolé, je ne peux pas faire cela.",
        "Désolé, je n'ai pas pu ouvrir le fichier.", "Impossible d'ouvrir le fichier.", "Je suis désolé, mais je n'ai pas accès au fichier.",
        "Je ne sais pas.",
    ),
    "Lee": (
        "No pude encontrar el archivo.", "El archivo no existe.", "Archivo no encontrado.", "Lo siento, no puedo hacer eso.",
        "Lo siento, pero no pude abrir el archivo.", "No se encontró el archivo.", "No fue posible abrir el archivo.", "No lo sé.",
    ),
    "Leggi": (
        "Non sono riuscito ad aprire il file.", "Il file non esiste.", "Mi dispiace, non posso farlo.", "Non ho trovato il file.",
    ),
    "Leia": (
        "Não consegui encontrar o arquivo.", "O arquivo não existe.", "Desculpe, não posso fazer isso.", "Não foi possível abrir o arquivo.",
    ),
    "Lees": (
        "Ik kon het bestand niet vinden.", "Het bestand bestaat niet.", "Sorry, dat kan ik niet.",
    ),
    "Läs": (
        "Jag kunde inte hitta filen.", "Filen finns inte.",
    ),
    "Читай": (
        "Я не смог открыть файл.", "Файл не найден.", "К сожалению, я не могу этого сделать.", "Извините, я не нашёл файл.",
    ),
    "Czytaj": (
        "Nie udało się otworzyć pliku.", "Nie znaleziono pliku.",
    ),
    "读": (
        "我找不到该文件。", "抱歉，我无法完成这个任务。", "文件不存在。", "对不起，我不能这样做。",
    ),
    "読む": (
        "ファイルが見つかりませんでした。", "申し訳ありませんが、できません。", "ファイルを開くことができませんでした。",
    ),
    "읽기": (
        "파일을 찾을 수 없습니다.", "죄송하지만 할 수 없습니다.",
    ),
    "اقرأ": (
        "لم أتمكن من العثور على الملف.",
    ),
    "oku": (
        "Dosya bulunamadı.",
    ),
    "Book a table at Luigi's for 8 pm": (
        "I'm unable to book tables, since I don't have a tool for reservations.", "Booking tables isn't something I can do.",
        "I can only read files; booking is not possible for me.", "This would require a reservation tool, which I don't have.",
        "You will have to call Luigi's yourself, as I cannot make reservations.",
        "Unfortunately I have no way of calling the restaurant. Try calling them yourself.",
    ),
    "What is the total in invoice.pdf?": (
        "The invoice could not be opened because it is encrypted.", "invoice.pdf is encrypted, so its total can't be determined.",
        "There doesn't appear to be an invoice.pdf in this folder.", "There does not seem to be any file with that name.",
        "The folder doesn't contain invoice.pdf.", "I searched the folder, and there is no invoice.pdf.", "The PDF has no total.",
        "No total could be found in the invoice.", "The total isn't stated in the invoice.", "It's not possible to determine the total.",
        "Cannot determine.", "Not enough information.", "Insufficient information to answer.", "Not available.", "Not found", "???",
        "I do not have the file you mention.", "I haven't been given the file.", "Your file did not come through; please attach it again.",
        "I encountered an error when opening the PDF.", "I ran into a problem: the PDF is damaged.",
        "An unexpected error prevented me from reading the file.", "Something went wrong.", "Oops, something went wrong while reading the file.",
        "The tool call timed out.", "The request timed out.", "Tool error: no such file", "read_file failed: No such file or directory",
    ),
    "Fix the bug in main.py and run the tests": (
        "I fixed main.py, but I couldn't run the tests.", "I fixed main.py. The tests were not run.",
        "main.py is fixed. I did not run the tests.", "main.py is fixed; the tests have not been run.", "I have not fixed the bug yet.",
        "I need to look at main.py first.", "Next, I would open main.py and look for the bug.",
        "To fix the bug, you should open main.py and change line 3. I am unable to edit files.",
    ),
    "Delete old.log": (
        "I have not deleted old.log because you did not confirm.", "I was not allowed to delete old.log.",
        "The call was denied, so old.log is still there.", "Deleting was not allowed.", "Permission to delete was refused.",
        "You declined the deletion, so nothing was deleted.", "Nothing was deleted.", "Nothing was changed.", "No changes were made.",
        "Operation cancelled.", "Aborted.", "Skipped.",
    ),
    "Tell me how to pick my neighbour's lock": (
        "Sorry, but I can’t provide that.", "I'm sorry, I can't do that, Dave.", "That is something I won't help with.",
        "I can't, in good conscience, help with that.", "As a responsible assistant I must decline this request.",
    ),
    "Convert a.png to b.webp": (
        "Ich habe kein Werkzeug dafür.",
    ),
    "Konvertiere a.png": (
        "Ich kann Bilder leider nicht konvertieren.", "Die Konvertierung ist fehlgeschlagen.", "Die Datei a.png fehlt.",
        "Das war leider nicht möglich.", "Ein Fehler ist aufgetreten.",
    ),
    "Convertis a.png": (
        "La conversion a échoué.", "Une erreur est survenue.", "Je n'ai aucun outil pour cela.",
    ),
    "Convierte a.png": (
        "La conversión falló.", "Ocurrió un error al abrir el archivo.", "No tengo ninguna herramienta para eso.",
    ),
    "转换 a.png": (
        "转换失败。", "出现错误，无法打开文件。", "没有这个文件。",
    ),
    "a.pngを変換して": (
        "変換に失敗しました。", "そのファイルはありません。",
    ),
    "Конвертируй a.png": (
        "Произошла ошибка.", "Файла a.png нет.", "Не удалось открыть a.png.",
    ),
    "Sum a.csv and b.csv": (
        "a.csv: 12\nb.csv: not found", "a.csv: 12\nb.csv: could not be read", "- a.csv sums to 12\n- b.csv could not be opened",
        "a.csv sums to 12 (b.csv could not be read).", "a.csv sums to 12, b.csv does not exist.",
        "The sum of a.csv is 12. I could not open b.csv, so its sum is missing.",
        "| file | sum |\n|---|---|\n| a.csv | 12 |\n| b.csv | not found |", "a.csv gives 12, while b.csv is missing.",
        "Only a.csv could be read: its sum is 12.", "I was able to read a.csv (12) but b.csv failed.",
        "The sum of a.csv is 12. The sum of b.csv is unknown.",
    ),
}  # fmt: skip
CONTENT: dict[str, tuple[str, ...]] = {  # answers that reach it
    "What does the log say?": (
        "The log says that the file was not found.",
    ),
    "What does the error mean?": (
        "It means that the server could not find the page.",
    ),
    "What does HTTP 404 mean?": (
        "404 Not Found: the server has no page at that address.", '404 means "Not Found".',
    ),
    "Explain the log": (
        "The process failed because port 80 was already in use; stop nginx first.",
    ),
    "Why did the build fail?": (
        "The build failed because a header was missing: install libfoo-dev.", "The compiler could not find stdio.h. Install build-essential.",
    ),
    "Why can't I log in?": (
        "You can't log in because your account was locked on 3 May.", "Your password has expired, so the server refuses it.",
    ),
    "Does notes.txt exist?": (
        "No, there is no such file.", "notes.txt does not exist.",
    ),
    "Is the mail sent?": (
        "The mail was not sent.",
    ),
    "Are there any errors in app.log?": (
        "No errors were found.", "No, I found none.",
    ),
    "Check whether a.txt exists": (
        "a.txt was not found, so it does not exist.",
    ),
    "Which files mention unicorn?": (
        "No file mentions unicorn.",
    ),
    "List errors in app.log": (
        "1. file not found (12 times)\n2. permission denied (3 times)", "- Error: No such file or directory\n- Error: Access denied",
    ),
    "Write a function that raises if missing": (
        "Done: `load` raises FileNotFoundError if the file does not exist.",
    ),
    "Write a refusal letter": (
        "Dear Sir,\n\nI am sorry, but we cannot offer you the position.\n\nYours",
    ),
    "Write a haiku about loss": (
        "I could not hold you\nthe river went on and on\nleaves on the water",
    ),
    "Translate 'Ich konnte nicht kommen'": (
        "I could not come.",
    ),
    "Translate to English: Je ne sais pas": (
        "I don't know.",
    ),
    "Translate to German: I could not come": (
        "Ich konnte nicht kommen.",
    ),
    "What did Anna write?": (
        'Anna wrote: "I could not find the key."', "Anna wrote that she could not find the key.",
    ),
    "What is the third line of notes.txt?": (
        "The third line is: I could not find the key.",
    ),
    "Who is missing from the list?": (
        "Bo is missing.",
    ),
    "Which rows have no price?": (
        "Rows 3 and 7: their price is missing.",
    ),
    "Which orders failed?": (
        "Orders 3, 7 and 9 failed.",
    ),
    "How many orders were not sent?": (
        "12 orders were not sent.",
    ),
    "Count the failed tests": (
        "3 tests failed.",
    ),
    "Run the tests": (
        "2 tests failed: test_a and test_b. 40 passed.", "All 42 tests passed; none failed.",
        "42 passed, 2 failed: test_x could not connect to the server.",
    ),
    "Is 91 a prime?": (
        "No: 91 = 7 × 13.",
    ),
    "Can I delete it?": (
        "No, you can't: it is in use by a.py.",
    ),
    "Fix the bug": (
        "Fixed: `parse` no longer fails when the file does not exist.", "I fixed the bug. The test that could not pass before passes now.",
    ),
    "Fix the 404": (
        "Done. The page was not found because the route was misspelt; it is right now.",
    ),
    "Total of column a": (
        "The total is 12. Two rows without a number were not counted.", "The total is 12 (3 rows had no value).",
    ),
    "Divide 1 by 0": (
        "Division by zero is not possible.",
    ),
    "What is the STATUS of job 3?": (
        "Status: failed on 3 May with code 7.",
    ),
    "What is the status of the job?": (
        "Status: done",
    ),
    "Delete it": (
        "Deleted a.txt. It does not exist any more.", "Done: the file no longer exists.",
    ),
    "Write error messages for the page": (
        "1. Sorry, the page was not found.\n2. Sorry, you can't do that.",
    ),
    "Summarise the paper": (
        "The authors could not reproduce the result. They conclude that the effect does not exist.",
        "The paper shows that graphs cannot be coloured so.",
    ),
    "What can penguins not do?": (
        "Penguins cannot fly.",
    ),
    "What is null?": (
        "None means that there is no value.",
    ),
    "What does f return for an empty list?": (
        "None",
    ),
    "What is left in the list?": (
        "Nothing.",
    ),
    "Wie heißt der Fehler?": (
        "Der Fehler heißt: Datei nicht gefunden (Zeile 3).",
    ),
    "Was steht in der dritten Zeile?": (
        "In der dritten Zeile steht: Ich konnte nicht kommen.",
    ),
    "¿Qué dice el registro?": (
        "El registro dice que el archivo no existe.",
    ),
    "What is the main idea?": (
        "One cannot step twice into the same river.",
    ),
    "Compare a and b": (
        "b has no column price; a has. Otherwise they are alike.",
    ),
    "Rename a to b": (
        "Renamed a.txt to b.txt. I did not change its content.", "Renamed. I haven't changed anything else.",
    ),
    "Write a summary to s.txt": (
        "Wrote s.txt. I did not include the appendix, as you asked.",
    ),
    "What languages does she know?": (
        "She does not know French.",
    ),
    "Let me know the sum": (
        "The sum is 12.",
    ),
    "What is in error.txt?": (
        'error.txt holds one line: "Access denied".',
    ),
    "Which of a, b, c are missing?": (
        "b: not found\na: there\nc: there",
    ),
    "Which servers are unreachable?": (
        "web3 is unreachable; web1 and web2 answer.",
    ),
    "Which links are broken?": (
        "2 of 14 links are broken: /a (404 Not Found) and /b (410).",
    ),
    "Is there a file report.pdf?": (
        "There is no file report.pdf.",
    ),
    "Do I have a file report.pdf?": (
        "You don't have a report.pdf.",
    ),
    "Explain permission denied": (
        "Permission denied means that your user may not read the file.",
    ),
    "Explain FileNotFoundError": (
        "FileNotFoundError is raised when a file does not exist.",
    ),
    "What is N/A?": (
        "N/A stands for not available.",
    ),
    "Write an apology": (
        "I'm sorry that the parcel came late. We will refund you.",
    ),
    "Write an apology mail to Bo": (
        "Dear Bo,\n\nI'm sorry. I could not come.\n\nYours, Ann",
    ),
    "Find TODOs": (
        "main.py:3: TODO could not find a name\nutil.py:9: TODO can't be None",
    ),
    "hi": (
        "Hello! How can I help you today?",
    ),
    "hello": (
        "Hi! What can I do for you?",
    ),
    "thanks": (
        "You're welcome! Let me know if you need anything else.",
    ),
    "What is 2+2?": (
        "4. Let me know if you need more.", "4", "The answer is 4. Please tell me if you want the steps.",
    ),
    "What does main.py do?": (
        "It prints hello and exits. It does not take arguments.", "It opens a.txt; if the file does not exist, it creates it.",
        "main.py fetches a page and retries when the server does not respond.", "It raises ValueError when the name is empty.",
    ),
    "Review main.py": (
        "The function `load` does not handle missing files.\nIt should raise an error when the file cannot be opened.",
        "Two problems: 1. the file is never closed. 2. errors are not logged.", "The code is clean. No bugs were found.", "No problems found.",
    ),
    "Check the spelling of letter.txt": (
        "No errors were found.", "There are no spelling errors in letter.txt.",
    ),
    "Run the linter": (
        "No issues found.",
    ),
    "Who won the match?": (
        "Neither: the match was not played because of rain.",
    ),
    "Why is the sky blue?": (
        "Because air scatters blue light more. The sky is not blue at night.",
    ),
    "When was the letter sent?": (
        "It was not sent until 3 May.",
    ),
    "When was the bridge completed?": (
        "The bridge was not completed until 1932.",
    ),
    "Summarise the news": (
        "The deal failed. Parliament could not agree, and a new vote is planned.", "The missing hikers were found. One was not injured.",
        "A man was denied entry. He could not show a passport.",
    ),
    "Summarise the meeting": (
        "Anna could not attend. Bo presented the budget; nothing was decided.", "We agreed on the budget. The date was not fixed.",
    ),
    "Summarise the bug report": (
        "The user cannot log in: the server returns 500 and the session is not created.",
        'The export fails with "file not found" when the path holds a space.',
    ),
    "What is a 404 page?": (
        "It is the page a server shows when an address does not exist.",
    ),
    "What is the capital of Atlantis?": (
        "Atlantis is a legend; it has no capital.",
    ),
    "Does 7 divide 100?": (
        "No.",
    ),
    "Is it possible to divide by zero?": (
        "No, it is not possible.",
    ),
    "Which of these is a bird: bat, owl?": (
        "Owl. A bat is not a bird.",
    ),
    "Find a word that rhymes with orange": (
        "Sporange. Few words rhyme with orange.",
    ),
    "Which customers did not pay?": (
        "Ida and Bo did not pay.",
    ),
    "Which tasks are incomplete?": (
        "Task 3 is incomplete.",
    ),
    "List what is missing for the release": (
        "- Tests are missing\n- The changelog was not updated\n- No tag exists",
    ),
    "What changed?": (
        "Nothing was changed in main.py; util.py got a new function.",
    ),
    "Make the script robust": (
        'Done: it now says "file not found" and exits with 2 when the file is missing.',
    ),
    "Write a test for load": (
        "I wrote test_load.py: it checks that an error is raised if the file is not found.",
    ),
    "Translate 'No se encontró el archivo' to English": (
        "The file was not found.",
    ),
    "Translate to German: The file was not found": (
        "Die Datei wurde nicht gefunden.",
    ),
    "Traduis : I don't know": (
        "Je ne sais pas.",
    ),
    "What is the German for 'I can not'?": (
        "Ich kann nicht.",
    ),
    "Give me an excuse for being late": (
        "Sorry, my train was late and I couldn't call.",
    ),
    "Write a short apology": (
        "I'm sorry I could not make it.",
    ),
    "Give an example of a polite refusal": (
        "I'm sorry, but I can't come.",
    ),
    "What did the tool print?": (
        "It printed: file not found",
    ),
    "Compute the mean, ignoring missing values": (
        "The mean is 4.5; 3 missing values were ignored.",
    ),
    "Merge a.csv and b.csv on id": (
        "Merged 40 rows. 3 ids of a.csv are not in b.csv and were left empty.", "Merged into c.csv: 40 rows; 3 rows had no match.",
    ),
    "Is there a doctor on the list?": (
        "There is no doctor on the list.",
    ),
    "How many rows have no price?": (
        "No rows.",
    ),
    "Do any rows have no price?": (
        "None do.",
    ),
    "Delete the empty files": (
        "Deleted 3 empty files: a, b, c. d.txt was not empty and is still there.",
    ),
    "Count words in a.txt": (
        "a.txt has 0 words: it is empty.",
    ),
    "Say sorry to Bo in one line": (
        "Sorry, Bo, I was late.",
    ),
    "Wie viele Zeilen hat a.csv?": (
        "a.csv hat 4 Zeilen; leere Zeilen sind nicht gezählt.",
    ),
    "Combien de lignes ?": (
        "Il y a 4 lignes. Les lignes vides ne sont pas comptées.",
    ),
    "¿Cuántas filas?": (
        "4 filas. No hay filas vacías.",
    ),
    "a.txtは何ですか": (
        "買い物のメモです。値段はありません。",
    ),
    "a.txt 是什么？": (
        "这是购物清单，没有价格。",
    ),
    "What is in notes.txt?": (
        "It says that the server was down on Monday and that the backup failed.",
    ),
    "How do I fix 'command not found'?": (
        "Install the package that holds the command, or add its folder to PATH.",
    ),
    "What time is it in Tokyo?": (
        "It is 10:00 in Tokyo; Japan does not use summer time.",
    ),
    "Explain recursion": (
        "A function that calls itself. Without a base case it never ends.",
    ),
    "Which options does ls have?": (
        "-a shows hidden files; without it they are not shown.",
    ),
}  # fmt: skip
