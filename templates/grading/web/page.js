// The grading page: one item at a time, by keyboard or mouse. Everything that is typed is kept at once in this tab and
// half a second later as a draft on the server.
import { get, post, remember } from "./api.js";
import { $, cited, disagreement, form as drawForm, light, lightSentences, make, mark, timeline } from "./draw.js";
import { Form } from "./form.js";

const SAVE_AFTER = 400, IDLE = 120_000;
let desk, form, now, refused = false, agreed = new Set();
let pressed = false, dirty = false, saving = null, timer, seconds = 0, active = 0, ticked = 0;

const kept = (task) => `form ${task}`;

// Time on the item: while the page is seen, and somebody has touched it in the last two minutes.
setInterval(() => {
  const then = performance.now();
  if (form && document.visibilityState === "visible" && then - active < IDLE) seconds += (then - ticked) / 1000;
  ticked = then;
}, 500);
for (const event of ["keydown", "pointerdown", "pointermove", "wheel"])
  addEventListener(event, () => { active = performance.now(); }, { passive: true });

for (const event of ["pointerdown", "mousedown"]) addEventListener(event, () => { pressed = true; }, true);
for (const event of ["pointerup", "mouseup", "pointercancel"])
  addEventListener(event, () => setTimeout(() => { pressed = false; }), true);
addEventListener("click", () => { pressed = false; }, true);

async function start() {
  const got = await get("desk");
  if (!got.ok) { alert_(got.error); return; }
  remember(got.csrf);
  desk = got;
  $("who").textContent = desk.rater;
  $("guide").innerHTML = "";
  $("guide").append(guide(got.rubric), make("p", { className: "keys", textContent: KEYS }));
  if (desk.next && !desk.done) toggle("guide", true);
  if (desk.next) await open(desk.next); else finished();
}

const KEYS = "1 to 9 answer the question that is marked; up and down move; n writes what is wrong with a sentence, " +
  "e opens the correction, c a comment; enter ends what you write; s skips; ctrl+enter submits. Tab works everywhere.";

// The guideline comes as the server's own HTML: text with <p>, <b> and <i>, everything else escaped.
function guide(rubric) {
  const inert = new DOMParser().parseFromString(rubric.guideline, "text/html");
  const out = make("div");
  for (const p of inert.body.children) out.append(document.importNode(p, true));
  for (const d of rubric.dimensions) out.append(make("p", {}, make("b", { textContent: `${d.title}: ` }), d.question));
  return out;
}

async function open(task) {
  await saving;
  const item = await get(`task/${task}`);
  if (!item.ok) { alert_(item.error); return; }
  const unsaved = JSON.parse(sessionStorage.getItem(kept(task)) || "null");
  if (unsaved) item.form = unsaved;
  form = new Form(desk.rubric, item);
  refused = false;
  agreed = new Set(item.filled_in ? Object.keys(item.form.answers) : []);
  seconds = unsaved?.seconds || item.seconds;
  dirty = Boolean(unsaved);
  $("question").textContent = item.question;
  $("person").textContent = item.person;
  $("outcome").textContent = item.outcome;
  timeline(item.lines);
  drawForm(form, { choose, write });
  disagreement(item.disagreement, take);
  for (const pane of ["left-pane", "right-pane", "sentences"]) $(pane).scrollTop = 0;
  alert_(item.standing === "sent" ? "You have sent this item. Change it and submit it again." :
    item.standing === "skipped" ? "You have skipped this item. You can still grade it." : "");
  $("saved").textContent = unsaved ? "kept from before" : item.standing === "begun" ? "draft" : "";
  progress();
  go(form.missing()[0]?.key || form.steps()[0].key);
  if (dirty) save();
}

function progress() {
  const place = form ? form.item.place : desk.done;
  $("place").textContent = `${place} of ${desk.of}`;
  $("bar").max = desk.of;
  $("bar").value = desk.done;
  $("left").textContent = desk.minutes_left ? `about ${desk.minutes_left} min left` : "";
  $("items").replaceChildren(...desk.items.map((e, i) => make("button", { type: "button",
    className: `item ${e.standing}`, textContent: i + 1, title: e.standing, onclick: () => { toggle("items", false); open(e.task); } })));
}

function finished() {
  form = null;
  $("sentences").replaceChildren(make("p", { className: "done",
    textContent: desk.of ? `All ${desk.of} items are done. Thank you.` : "Nothing is to be graded at the moment." }));
  for (const id of ["whole", "timeline", "disagreement"]) $(id).replaceChildren();
  for (const id of ["question", "person", "outcome"]) $(id).textContent = "";
  alert_("");
  progress();
}

function alert_(text) { $("alert").textContent = text; }

function toggle(id, open) {
  const show = open ?? $(id).hidden;
  $(id).hidden = !show;
  $(`show-${id}`).setAttribute("aria-expanded", show);
}

// The question that digits answer. Nothing moves under a finger or a mouse button that is down, or its click is lost.
function go(key) {
  now = key;
  mark(form, now, refused, agreed);
  const question = document.querySelector(`.question[data-key="${now}"]`);
  const sentence = question?.closest(".sentence");
  if (!pressed) (sentence || question)?.scrollIntoView({ block: "nearest" });
  light(sentence ? cited(sentence) : [], !pressed);
  const step = form.steps().find((s) => s.key === now);
  const digits = Math.min(9, step.dimension.options.length);
  $("keys").textContent = `${step.dimension.question} 1–${digits} answer · ↑↓ move · n note · c comment · s skip · g guide`;
}

function choose(key, value) {
  form.answers[key] = value;
  agreed.delete(key);
  changed();
  go(form.after(key));
}

function write(key, text) {
  form.texts[key] = text;
  document.querySelector(`[data-text="${key}"]`).classList.remove("lacking");
  changed();
}

function take(correction) {
  const { dimension, any_of: [answer] } = form.rubric.edit_when;
  form.answers[dimension] = answer;
  form.texts.edited = correction;
  changed();
  go(form.after(dimension));
  $("whole").querySelector('[data-text="edited"]').focus();
}

function changed() {
  if (refused) alert_(form.missing().length ? `Still to answer: ${names(form.missing().map((s) => s.key))}.` : "");
  dirty = true;
  sessionStorage.setItem(kept(form.item.task), JSON.stringify(form.draft(seconds)));
  $("saved").textContent = "…";
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER);
}

// One save at a time; what changes meanwhile is saved after it.
function save(keepalive = false) {
  clearTimeout(timer);
  if (!dirty || !form) return saving;
  if (saving && !keepalive) return saving.then(() => save());
  dirty = false;
  const { task } = form.item, sent = JSON.stringify(form.draft(seconds));
  saving = post(`api/task/${task}/draft`, JSON.parse(sent), keepalive).then((got) => {
    saving = null;
    if (got.ok) {
      if (sessionStorage.getItem(kept(task)) === sent) sessionStorage.removeItem(kept(task));
      if (!dirty) $("saved").textContent = `saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
      return;
    }
    dirty = form?.item.task === task;
    $("saved").textContent = "not saved yet, trying again";
    if (got.status === 401 || got.status === 403 || got.status === 409) alert_(got.error);
    timer = setTimeout(save, 5000);
  });
  return saving;
}

async function submit(sure = false) {
  if (!form) return;
  const lacking = form.missing();
  if (lacking.length) { refuse(lacking.map((s) => ({ at: s.key }))); return; }
  // What is sent needs no draft first; one that is under way must not arrive after it.
  clearTimeout(timer);
  await saving;
  clearTimeout(timer);
  const { task } = form.item;
  const got = await post(`api/task/${task}/submit`, { ...form.final(seconds), sure });
  if (got.ok && got.sent) { await sent(task, got.desk); return; }
  if (!got.ok) alert_(`Not sent: ${got.error}. What you filled in is kept.`);
  else if (got.wrong.length) refuse(got.wrong);
  else ask(got.doubts);
  save();
}

async function sent(task, overview) {
  sessionStorage.removeItem(kept(task));
  dirty = false;
  desk = { ...desk, ...overview };
  if (desk.next) await open(desk.next); else { const again = await get("desk"); if (again.ok) desk = again; if (desk.next) await open(desk.next); else finished(); }
}

// Names what is lacking, and goes to the first of it.
function refuse(wrong) {
  refused = true;
  const [first] = wrong;
  const open = form.missing().map((s) => s.key);
  go(open.includes(first.at) || form.answers[first.at] !== undefined ? first.at : now);
  const box = document.querySelector(`[data-text="${first.at}"]`);
  if (box) {
    box.classList.add("lacking");
    box.focus();
  }
  const asked = wrong.map((w) => w.at).filter((at) => open.includes(at));
  const other = wrong.filter((w) => !open.includes(w.at)).map((w) => w.why);
  const lacking = asked.length ? [`still to answer: ${names(asked)}`] : [];
  alert_(`Not sent: ${[...lacking, ...other].join("; ")}.`);
}

const names = (keys) => [...new Set(keys.map((key) => form.describe(key)))].join(", ");

function ask(doubts) {
  $("doubts").replaceChildren(...doubts.map((d) => make("li", { textContent: d })));
  $("ask-sure").showModal();
}

function skip() {
  if (!form) return;
  $("reason").value = form.texts.comment || "";
  $("ask-skip").showModal();
}

async function sendSkip() {
  const reason = $("reason").value.trim();
  if (!reason) { $("reason").focus(); return; }
  $("ask-skip").close();
  const { task } = form.item;
  const got = await post(`api/task/${task}/skip`, { reason, seconds });
  if (got.ok) await sent(task, got.desk); else alert_(`Not skipped: ${got.error}`);
}

// The box of the sentence that is marked, or of the last one before it that has one.
function note() {
  const steps = form.steps(), here = steps.findIndex((s) => s.key === now);
  const sentences = steps.slice(0, here + 1).map((s) => s.sentence).filter((n) => n && form.noted(n));
  const n = sentences.at(-1);
  if (n) document.querySelector(`[data-text="note_${n}"]`).focus();
}

function move(by) {
  const steps = form.steps(), here = steps.findIndex((s) => s.key === now);
  go(steps[Math.max(0, Math.min(steps.length - 1, here + by))].key);
}

const digit = (event) => /^(Digit|Numpad)[1-9]$/.test(event.code) ? Number(event.code.at(-1)) : 0;

function key(event) {
  const dialog = document.querySelector("dialog[open]");
  const submits = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (dialog) {
    if (dialog.id === "ask-skip" && submits) { event.preventDefault(); sendSkip(); }
    if (dialog.id === "ask-sure" && event.key === "y") { event.preventDefault(); dialog.close(); submit(true); }
    return;
  }
  if (submits) { event.preventDefault(); submit(); return; }
  const typing = event.target.matches("input, textarea");
  if (typing) {
    const ends = event.key === "Escape" || (event.key === "Enter" && (event.target.matches("input") || event.shiftKey));
    if (ends) { event.preventDefault(); event.target.blur(); }
    return;
  }
  if (!form || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = form.steps().find((s) => s.key === now);
  const option = step?.dimension.options[digit(event) - 1];
  const actions = { ArrowDown: () => move(1), ArrowUp: () => move(-1), n: note, g: () => toggle("guide"), s: skip,
    c: () => document.querySelector('[data-text="comment"]')?.focus(),
    e: () => form.editing() && document.querySelector('[data-text="edited"]')?.focus(),
    Escape: () => { toggle("guide", false); toggle("items", false); } };
  if (option) { event.preventDefault(); choose(now, option[0]); }
  else if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
}

addEventListener("keydown", key);
addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(true); });
addEventListener("pagehide", () => save(true));
for (const pane of ["sentences", "timeline"]) $(pane).addEventListener("pointerover", (event) => {
  const row = event.target.closest(".row"), evidence = event.target.closest(".evidence");
  const sentence = event.target.closest(".sentence");
  lightSentences(row?.dataset.id);
  if (evidence) light([evidence.dataset.id]);
  else if (sentence) light(cited(sentence));
});
$("timeline").addEventListener("pointerleave", () => lightSentences(null));
$("sentences").addEventListener("pointerleave", () => {
  const sentence = form && document.querySelector(".sentence.now");
  light(sentence ? cited(sentence) : [], false);
});
document.addEventListener("focusin", (event) => {
  const question = event.target.closest(".question");
  if (form && question && question.dataset.key !== now) go(question.dataset.key);
});
$("show-guide").onclick = () => toggle("guide");
$("show-items").onclick = () => toggle("items");
$("send").onclick = () => submit();
$("skip").onclick = skip;
$("skip-back").onclick = () => $("ask-skip").close();
$("skip-send").onclick = sendSkip;
$("sure-back").onclick = () => $("ask-sure").close();
$("sure-send").onclick = () => { $("ask-sure").close(); submit(true); };
$("leave").onclick = async () => {
  await save();
  if (dirty) { alert_("Not signed out: what you typed is not saved yet. Try again in a minute."); return; }
  await post("leave", {});
  sessionStorage.clear();
  location.replace("/grade/");
};
start();
