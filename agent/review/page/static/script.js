"use strict";
// The viewer's only script: loads steps as they come into sight, follows a live run, keys, theme. No text becomes markup
// here but what the server rendered and escaped.
(() => {
  const root = document.documentElement;
  const run = document.querySelector("[data-run]");
  const status = document.querySelector("[data-status]");
  const saved = localStorage.getItem("theme");
  if (saved) root.dataset.theme = saved;
  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });

  const load = async (element, address) => {
    const answer = await fetch(address);
    if (answer.ok) element.innerHTML = await answer.text();
    return answer.ok;
  };
  document.querySelectorAll("[data-load]").forEach((element) => load(element, element.dataset.load));
  // Questions to a person: never taken away under somebody who is writing an answer.
  const waiting = document.querySelector("[data-waiting]");
  const ask = () => {
    const busy = waiting.contains(document.activeElement) || waiting.querySelector("details.edit[open]");
    if (!document.hidden && !busy) load(waiting, waiting.dataset.waiting);
  };
  const rows = document.querySelector("[data-rows]");
  if (rows) setInterval(() => {
    ask();
    if (!document.hidden && !document.querySelector("[name=run]:checked")) load(rows, rows.dataset.rows + location.search);
  }, 3000);
  if (!run) return;
  if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 1500);
  addEventListener("click", (event) => {  // fork from here: the form is filled in, and shown
    const link = event.target.closest("[data-fork]");
    if (!link) return;
    event.preventDefault();
    const form = document.getElementById("fork");
    form.elements.at.value = link.dataset.fork;
    form.scrollIntoView({ block: "center" });
    form.elements.goal.focus();
  });

  // Chunks of steps: those near the window hold their cards, those far away only their height.
  const chunks = [...document.querySelectorAll(".chunk")];
  const guess = (chunk) => (chunk.style.minHeight = `${Number(chunk.dataset.count) * 170}px`);
  chunks.filter((chunk) => !("loaded" in chunk.dataset)).forEach(guess);
  const fill = async (chunk) => {
    if ("loaded" in chunk.dataset) return;
    chunk.dataset.loaded = "";
    if (await load(chunk, `${run.dataset.run}/steps?from=${chunk.dataset.from}`)) chunk.style.minHeight = "";
    else delete chunk.dataset.loaded;
  };
  const near = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) fill(target);
      else if ("loaded" in target.dataset && chunks.length > 6 && target !== chunks.at(-1)) {
        target.style.minHeight = `${target.offsetHeight}px`;
        target.replaceChildren();
        delete target.dataset.loaded;
      }
    }
  }, { rootMargin: "1500px" });
  chunks.forEach((chunk) => near.observe(chunk));

  const show = async () => {  // a link to an event whose step is not loaded yet
    const seq = Number(/^#[es](\d+)$/.exec(location.hash)?.[1] ?? 0);
    if (!seq) return;
    const chunk = chunks.filter((one) => Number(one.dataset.first) <= seq).at(-1);
    if (chunk) await fill(chunk);
    document.querySelectorAll(".here").forEach((one) => one.classList.remove("here"));
    const place = document.getElementById(location.hash.slice(1));
    place?.classList.add("here");
    place?.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", show);
  show();

  const merge = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const last = chunks.at(-1);
    for (const step of fresh.querySelectorAll("article.step")) {
      const old = document.getElementById(step.id);
      if (old) old.replaceWith(step);
      else last.append(step);
    }
  };
  const badge = () => document.querySelector("header.run .state");
  let drawing = 0;  // the charts read the whole run: not at every step, and not of a long one
  const redraw = () => {
    if (drawing || Number(run.dataset.head) > 3000) return;
    drawing = setTimeout(() => {
      drawing = 0;
      document.querySelectorAll("[data-load]").forEach((element) => load(element, element.dataset.load));
    }, 2000);
  };
  if (run.dataset.state === "running") {
    const source = new EventSource(`${run.dataset.run}/live?after=${run.dataset.head}`);
    source.addEventListener("steps", async (event) => {
      const data = JSON.parse(event.data);
      await fill(chunks.at(-1));
      merge(data.html);
      if (badge()) badge().textContent = data.state;
      status.textContent = `up to event ${event.lastEventId}`;
      ask();
      redraw();
    });
    for (const name of ["end", "gone"]) source.addEventListener(name, () => {
      source.close();
      if (name === "end") location.reload();
    });
  }

  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = [...document.querySelectorAll("article.step")];
    const at = steps.findIndex((step) => step.getBoundingClientRect().bottom > 80);
    const move = { j: 1, k: -1 }[event.key];
    if (move) {
      const target = steps[Math.max(0, Math.min(steps.length - 1, at + move))];
      target?.scrollIntoView({ block: "start" });
      target?.querySelector("a, summary")?.focus({ preventScroll: true });
    } else if (event.key === "/") {
      event.preventDefault();
      document.querySelector("nav input")?.focus();
    } else if (event.key === "G") scrollTo(0, document.body.scrollHeight);
    else if (event.key === "g") scrollTo(0, 0);
  });
})();
