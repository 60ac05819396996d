// The page's elements: made once for an item, then only marked. Text is set as text; no HTML of an item is ever read.
import { Form } from "./form.js";

export const $ = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset || {});
  element.append(...children);
  return element;
}

export function timeline(lines) {
  const rows = lines.flatMap((line) => {
    if (line.text !== undefined) return [make("p", { className: "head", textContent: line.text })];
    const row = make("div", { className: "row", dataset: { id: line.id } },
      make("span", { className: "id", textContent: line.id }),
      make("span", { className: "when", textContent: line.when }),
      make("span", { className: `name ${line.kind}`, textContent: line.name }));
    return line.band ? [make("div", { className: "band", textContent: `Age ${line.band}` }), row] : [row];
  });
  $("timeline").replaceChildren(...rows);
}

function question(dimension, sentence, on) {
  const key = Form.key(dimension.name, sentence);
  const chips = dimension.options.map(([value, label], i) =>
    make("button", { type: "button", className: "chip", tabIndex: -1, dataset: { value },
      onclick: () => on.choose(key, value) },
      ...(i < 9 && !label.startsWith(`${i + 1} `) ? [make("kbd", { textContent: i + 1 })] : []),
      make("span", { textContent: label })));
  for (const chip of chips) chip.setAttribute("role", "radio");
  const group = make("div", { className: "chips" }, ...chips);
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", sentence ? `Sentence ${sentence}: ${dimension.question}` : dimension.question);
  const title = sentence ? [] : [make("span", { className: "title", textContent: dimension.title, title: dimension.question })];
  return make("div", { className: "question", dataset: { key } }, ...title, group,
    make("span", { className: "said" }));
}

function box(tag, key, hint, on, more = {}) {
  const element = make(tag, { className: "text", placeholder: hint, dataset: { text: key },
    oninput: () => on.write(key, element.value), ...more });
  element.setAttribute("aria-label", hint);
  return element;
}

export function form(form, on) {
  $("sentences").replaceChildren(...form.numbers.map((n) => {
    const parts = form.item.sentences[n - 1].map(([kind, text]) =>
      kind === "id" ? make("span", { className: "evidence", textContent: text, dataset: { id: text } }) : text);
    return make("div", { className: "sentence", dataset: { sentence: n } },
      make("span", { className: "number", textContent: n }),
      make("div", { className: "body" },
        make("div", { className: "words" }, ...parts),
        ...form.ofSentences.map((d) => question(d, n, on)),
        box("input", `note_${n}`, "What is wrong? (n to write, enter to go on)", on)));
  }));
  const whole = form.ofWhole.map((d) => question(d, null, on));
  if (form.rubric.edit_when) whole.push(box("textarea", "edited", "The rationale as it should be (e)", on, { rows: 5 }));
  if (form.rubric.comment) whole.push(box("input", "comment", "Comment, if you like (c)", on));
  $("whole").replaceChildren(...whole);
}

// Marks everything by the state of the form; `now` is the key of the question that digits answer.
export function mark(form, now, refused, agreed) {
  const steps = new Map(form.steps().map((s) => [s.key, s]));
  for (const element of document.querySelectorAll(".question")) {
    const { key } = element.dataset;
    const answer = form.answers[key];
    element.hidden = !steps.has(key);
    element.classList.toggle("now", key === now);
    element.classList.toggle("lacking", refused && steps.has(key) && answer === undefined);
    element.classList.toggle("agreed", agreed.has(key));
    for (const chip of element.querySelectorAll(".chip")) {
      const chosen = chip.dataset.value === answer;
      chip.setAttribute("aria-checked", chosen);
      chip.tabIndex = key === now && (chosen || (answer === undefined && !chip.previousElementSibling)) ? 0 : -1;
    }
  }
  for (const element of document.querySelectorAll(".sentence")) {
    const n = Number(element.dataset.sentence);
    element.classList.toggle("now", steps.get(now)?.sentence === n);
    element.classList.toggle("bad", form.noted(n));
    element.classList.toggle("answered", !form.missing().some((s) => s.sentence === n));
  }
  for (const element of document.querySelectorAll("[data-text]")) {
    const key = element.dataset.text;
    if (key.startsWith("note_")) element.hidden = !form.noted(Number(key.slice(5)));
    if (key === "edited") element.hidden = !form.editing();
    const text = form.texts[key] ?? (key === "edited" ? form.item.rationale : "");
    if (element.value !== text && document.activeElement !== element) element.value = text;
  }
}

// Lights up the lines that these ids name, and shows the first of them.
export function light(ids, scroll = true) {
  for (const row of document.querySelectorAll(".row.lit")) row.classList.remove("lit");
  const rows = [...document.querySelectorAll(".row")].filter((r) => ids.includes(r.dataset.id));
  for (const row of rows) row.classList.add("lit");
  if (scroll) rows[0]?.scrollIntoView({ block: "nearest" });
}

export const cited = (sentence) =>
  [...sentence.querySelectorAll(".evidence")].map((e) => e.dataset.id);

export function lightSentences(id) {
  for (const element of document.querySelectorAll(".sentence"))
    element.classList.toggle("lit", Boolean(id) && cited(element).includes(id));
}

// In adjudication: why the item is open, who said what, whose words can be taken over.
export function disagreement(found, take) {
  if (!found) {
    $("disagreement").replaceChildren();
    return;
  }
  const head = make("tr", {}, make("th"), ...found.opinions.map((o) => make("th", { textContent: o.name })));
  const rows = found.rows.map((row) => make("tr", { className: row.differ ? "differ" : "" },
    make("th", { textContent: row.title }), ...row.answers.map((a) => make("td", { textContent: a }))));
  const notes = found.opinions.flatMap((o) => o.notes.map((n) => make("p", {},
    make("b", { textContent: n.sentence ? `${o.name}, sentence ${n.sentence}: ` : `${o.name}: ` }), n.text)));
  const edits = found.opinions.filter((o) => o.correction).map((o) => make("div", { className: "edit" },
    make("b", { textContent: `${o.name} corrects: ` }),
    ...o.diff.flatMap((p) => [make(p.kind === "new" ? "ins" : p.kind === "old" ? "del" : "span", { textContent: p.text }), " "]),
    make("button", { type: "button", textContent: "Take this over", onclick: () => take(o.correction) })));
  $("disagreement").replaceChildren(make("p", { className: "head", textContent: found.why }),
    make("table", {}, head, ...rows), ...notes, ...edits);
  for (const row of found.rows) {
    const said = document.querySelector(`.question[data-key="${row.at}"] .said`);
    if (said && row.differ) said.textContent = found.opinions.map((o, i) => `${o.name.slice(6)} ${row.answers[i]}`).join(" · ");
  }
}
