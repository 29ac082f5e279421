"""How people say in other languages than English that they could not, that something is not there, and that they are sorry.
Touches nothing. Does not promise: every language, nor every way to say it; a few plain ones each, in lower case.
"""

from __future__ import annotations

import re

# language: (first person: I could not, I do not know), (it is not there), (sorry, unfortunately: how such an answer opens)
_SAID = {
    "de": (
        r"\bich (konnte|kann|könnte|darf|war) .{0,80}\b(nicht|nichts|kein\w*)\b(?! (sagen|ausschließen))|\b(konnte|kann|darf) ich .{0,80}\bnicht\b"
        r"|\bich (habe|hatte) .{0,60}(nicht|nichts|kein\w*) .{0,30}(gefunden|geschafft|erledigt|finden|lesen|öffnen)\b"
        r"|\bich (habe|hatte) (leider )?kein\w* (zugriff|zugang|ahnung|werkzeug|möglichkeit|information)|\bich weiß (es |das )?(leider )?nicht\b",
        r"\bnicht (gefunden|auffindbar|vorhanden)\b|\bexistiert (leider |hier )?nicht\b|\bes gibt (hier |leider )?kein\w* (datei|ordner|solche|spalte|eintrag)"
        r"|\b(konnten?|können|kann) (leider )?nicht .{0,40}\bwerden\b|\bfehlgeschlagen\b|\bdatei .{0,40}\bfehlt\b"
        r"|\bwar (leider |mir )?nicht möglich\b|\bfehler (ist |beim )?(aufgetreten|öffnen|lesen)",
        r"\A(leider|entschuldigung|entschuldige|verzeihung|es tut mir (sehr )?leid|tut mir leid|bedauerlicherweise|ich bedaure)\b",
    ),
    "fr": (
        r"\bje n'ai (malheureusement )?(pas|rien) (pu|trouvé|réussi|su|accès|la possibilité|d'accès|terminé)|\bje ne (peux|sais|trouve|parviens) (malheureusement )?pas\b"
        r"|\bje ne suis pas (en mesure|capable|autorisée?)\b|\bje n'arrive pas\b|\bje n'ai aucun (outil|accès|moyen)|\A(il m'est )?impossible (de|d')\b|\A(il m'est )?impossible d'",
        r"\bintrouvable|\bn'existe(nt)? pas\b|\bn'a pas (été|pu être) (trouvée?|ouverte?|lue?|envoyée?)|\Aaucun (fichier|résultat)|\bil n'y a (pas de|aucun) (fichier|dossier|résultat)|\b(a|ont) échoué\b|\berreur (est survenue|s'est produite|lors)",
        r"\A(je suis |je suis vraiment )?(désolée?|navrée?)\b|\A(malheureusement|pardon|excusez|je regrette)\b",
    ),
    "es": (
        r"\bno (pude|puedo|he podido|encontré|he encontrado|logré|conseguí|tengo (acceso|permiso|forma|información|ninguna (herramienta|forma))|lo sé|sé)(?![\wáéíóú])|\bme (es|fue) imposible\b|\bno (fue|ha sido) posible\b",
        r"\bno (se )?(encontró|encontraron|existe|existen)(?![\wáéíóú])|\bno (fue|ha sido|está) encontrad[oa]|\bno encontrad[oa]\b|\bno hay (ningún|ninguna) (archivo|carpeta|resultado)|(?<!\w)falló(?!\w)|\b(ocurrió|hubo) un error\b|\Aerror al\b",
        r"\A(lo siento|lamentablemente|desafortunadamente|disculp\w+|perdón|por desgracia|lamento)\b",
    ),
    "it": (
        r"\bnon (sono riuscit[oa]|posso|riesco|ho (trovato|potuto|accesso)|lo so|sono in grado)\b",
        r"\bnon (esiste|esistono|è stat[oa] (trovat[oa]|possibile))(?!\w)|\bnon trovat[oa]\b|\Anessun (file|risultato)|\bè fallit[oa]\b|\bsi è verificato un errore\b",
        r"\A(mi dispiace|purtroppo|spiacente|scusa|scusate)\b",
    ),
    "pt": (
        r"\bnão (consegui|consigo|posso|pude|encontrei|sei|tenho (acesso|permissão|como)|foi possível)(?!\w)",
        r"\bnão (existe|existem|encontrad[oa]|foi encontrad[oa])\b|\bnão há nenhum|\Anenhum (arquivo|ficheiro|resultado)|\bfalhou\b|\bocorreu um erro\b",
        r"\A(desculpe|infelizmente|lamento|sinto muito)\b",
    ),
    "nl": (
        r"\bik (kon|kan|mag) .{0,60}\bniet\b|\b(kon|kan) ik .{0,40}\bniet\b|\bik heb .{0,40}(niet|geen|niets) .{0,20}(gevonden|kunnen|toegang)|\bik weet het niet\b",
        r"\bniet gevonden\b|\bbestaat niet\b|\b(kon|kan) niet worden\b|\ber is geen (bestand|map)\b|\bis mislukt\b|\bfout opgetreden\b",
        r"\A(helaas|het spijt me|excuses)\b",
    ),
    "sv, no, da": (
        r"\bjag (kunde|kan|hittade|hittar|vet) .{0,40}\binte\b|\bjag (kunde|kan|hittade|vet) inte\b|\bjeg (kunne|kan|fant|fandt|ved|vet) .{0,40}\bikke\b|\bjeg (kunne|kan|fant|fandt|ved|vet) ikke\b",
        r"\b(finns|hittades|fanns) inte\b|\b(finnes|findes|eksisterer) ikke\b|\b(ble|blev) ikke fun(n|d)et\b",
        r"\A(tyvärr|dessverre|desværre|förlåt|beklager|undskyld)\b",
    ),
    "ru, uk": (
        r"\bя (к сожалению,? )?не (смог|смогла|могу|нашёл|нашел|нашла|знаю|сумел|сумела|имею)|\A(мне )?не (удалось|смог|смогла|могу|получилось)|\bу меня нет (доступа|возможности|информации)"
        r"|\A(мені )?не вдалося|\bя не (зміг|змогла|можу|знаю|знайшов)",
        r"\bне (найден[аоы]?|существует|существуют|обнаружен\w*)(?!\w)|\bнет (такого|такой|файла)\b|\bне (знайдено|існує)|\bпроизошла ошибка|\Aошибка\b|\Aфайла [\w./-]+ нет\b",
        r"\A(к сожалению|извините|простите|на жаль|вибачте)",
    ),
    "pl, cs": (
        r"\bnie (udało (mi )?się|mogę|mogłem|mogłam|znalazłem|znalazłam|wiem|mam dostępu|jestem w stanie)(?!\w)|\b(nemohu|nepodařilo se|nenašel jsem|nevím)\b",
        r"\bnie (znaleziono|istnieje|odnaleziono)\b|\Abrak (pliku|wyników|takiego)|\b(nebyl\w? nalezen\w?|neexistuje)\b",
        r"\A(niestety|przepraszam|przykro mi|bohužel|omlouvám|promiňte)",
    ),
    "tr": (
        r"\b(bulamadım|yapamadım|açamadım|okuyamadım|yapamıyorum|yapamam|bilmiyorum|erişemiyorum)\b",
        r"\bbulunamadı\b|\bmevcut değil\b",
        r"\A(maalesef|üzgünüm|özür|ne yazık ki)",
    ),
    "zh": (
        r"我(目前|暂时)?(无法|無法|不能|未能|没能|沒能|没有找到|沒有找到|找不到|没找到|不知道|做不到|没有权限|没法)|\A(无法|無法|未能|没能|找不到|没有找到|没找到)",
        r"\A.{0,20}(不存在|未找到|找不到|没有找到|沒有找到|没找到|失败|失敗|出现错误|发生错误)|\A没有(这个|该|此)?文件",
        r"\A(很|非常|十分)?(抱歉|对不起|對不起|遗憾|不好意思)",
    ),
    "ja": (
        r"(見つけ|開く|読む|実行|完了|アクセス|アクセスする|する)?(ことが)?できませんでした|\A(私には)?(わかりません|分かりません)",
        r"見つかりません|\A.{0,20}存在しません|失敗しました|エラーが発生|ファイルは?(が)?ありません",
        r"\A(大変|誠に)?(申し訳|すみません|ごめんなさい|残念ながら|恐れ入りますが)",
    ),
    "ko": (
        r"(못했습니다|모르겠습니다|할 수 없었습니다)",
        r"(찾을|열|읽을) 수 (없|가 없)|\A.{0,20}존재하지 않",
        r"\A(죄송|미안|유감|안타깝게도)",
    ),
    "ar": (
        r"لم (أتمكن|أستطع|أجد)|لا (أستطيع|يمكنني|أعرف)",
        r"غير موجود|لم يتم العثور",
        r"\A(عذر|آسف|للأسف|أعتذر)",
    ),
    "hi, id, vi": (
        r"नहीं कर (सका|सकता|सकी)|\bsaya tidak (dapat|bisa|menemukan|tahu)\b|\btôi không (thể|tìm thấy|biết)\b",
        r"नहीं (मिली|मिला)|\btidak ditemukan\b|\bkhông tìm thấy\b",
        r"\A(क्षमा करें|माफ़|maaf\b|xin lỗi)",
    ),
}


def _any(position: int) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{said[position]})" for said in _SAID.values()))


COULD_NOT, NOT_THERE, SORRY = _any(0), _any(1), _any(2)
WHETHER = re.compile(  # a question whether something is so: a no to it is an answer
    r"\A[¿]?(gibt es|existiert|ist|sind|hat|haben|kann ich|y a-t-il|est-ce|existe|hay|tiene|es|está|c'è|ci sono|há|tem"
    r"|is er|bestaat|finns|finnes|findes|есть ли|существует|чи є|czy|существуют)\b|(有没有|是否|吗[？?]?\Z|ありますか|いますか|있(나요|습니까))"
)
TRANSLATE = re.compile(
    r"\b(translat\w+|übersetz\w*|tradui\w+|tradu[cz]\w*|(german|french|spanish|italian|dutch|swedish|russian|polish|chinese|japanese|english|portuguese) for|vertaal|översätt|перевед\w*|przetłumacz)\b|翻译|翻譯|訳して|번역"
)
