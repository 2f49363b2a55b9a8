"use strict";
// The filter stands in the URL's fragment, so that a link to the report shows the same findings.
const form = document.getElementById("filter");
const query = document.getElementById("query");
const shown = document.getElementById("shown");
const boxes = [...form.querySelectorAll("input[type=checkbox]")];
const rows = [...document.querySelectorAll("#list > details")].map((node) => ({
  node,
  level: node.dataset.level,
  text: node.textContent.toLowerCase(),
}));

function apply() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const levels = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let count = 0;
  for (const row of rows) {
    const fits = levels.has(row.level) && words.every((word) => row.text.includes(word));
    row.node.hidden = !fits;
    count += fits;
  }
  shown.textContent = count === rows.length ? `${count} findings` : `${count} of ${rows.length} findings`;
}

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  query.value = wanted.get("q") ?? "";
  const without = new Set((wanted.get("without") ?? "").split(","));
  for (const box of boxes) box.checked = !without.has(box.value);
  apply();
}

function write() {
  const wanted = new URLSearchParams();
  if (query.value) wanted.set("q", query.value);
  const without = boxes.filter((box) => !box.checked).map((box) => box.value);
  if (without.length) wanted.set("without", without.join(","));
  history.replaceState(null, "", `#${wanted}`);
  apply();
}

let waiting = 0;
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(write, 80);
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === query) return;
  event.preventDefault();
  query.focus();
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => {
  if (location.hash.includes("=") || location.hash === "") {
    read();
    if (location.hash) document.getElementById("findings").scrollIntoView();
  }
});
if (location.hash.includes("=")) read();
else apply();
