// Search in the headings and texts of search-index.js. A script file loads from file:// too, where
// a browser refuses to fetch JSON.
"use strict";

const MOST = 20;
const field = document.getElementById("search");
const results = document.getElementById("results");
const pages = document.getElementById("pages");

function rank(section, words) {
  const title = section.title.toLowerCase();
  const text = section.text.toLowerCase();
  if (!words.every((word) => title.includes(word) || text.includes(word))) return 0;
  return 1 + words.filter((word) => title.includes(word)).length;
}

function row(section) {
  const link = document.createElement("a");
  link.href = section.address;
  link.textContent = section.title;
  const page = document.createElement("small");
  page.textContent = section.page;
  link.append(page);
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = SECTIONS.map((section) => [rank(section, words), section])
    .filter(([score]) => words.length && score)
    .sort(([first], [second]) => second - first)
    .slice(0, MOST);
  results.replaceChildren(...matches.map(([, section]) => row(section)));
  if (words.length && !matches.length) results.textContent = "No results";
  results.hidden = !words.length;
  pages.hidden = Boolean(words.length);
}

field.addEventListener("input", search);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") field.value = "";
  if (event.key === "Enter") results.querySelector("a")?.click();
  search();
});
