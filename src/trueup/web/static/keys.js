// g + letter opens a page, j and k walk a list, Enter opens its line, / finds, ? opens help. Every page works without this.
"use strict";
(() => {
  let waiting = false;
  const rows = () => Array.from(document.querySelectorAll("[data-row]"));
  const typing = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

  const walk = (step) => {
    const all = rows();
    if (!all.length) return;
    const here = all.indexOf(document.activeElement.closest("[data-row]"));
    const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
    all[next].focus();
  };

  const open = (key) => {
    const link = document.querySelector(`nav a[data-key="${CSS.escape(key)}"]`);
    if (link) link.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = event.key;
    if (waiting) {
      waiting = false;
      open(key);
    } else if (key === "g") {
      waiting = true;
      window.setTimeout(() => { waiting = false; }, 1500);
    } else if (key === "j") {
      walk(1);
    } else if (key === "k") {
      walk(-1);
    } else if (key === "/") {
      const find = document.querySelector("[data-find]");
      if (find) { event.preventDefault(); find.focus(); find.select(); }
    } else if (key === "?") {
      open("?");
    } else if (key === "Enter" && event.target.matches("[data-row]")) {
      const link = event.target.querySelector("a[href]:not(.level)");
      if (link) link.click();
    }
  });
})();
