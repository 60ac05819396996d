// One form: what is asked now, what was answered, what is missing. Nothing here touches the page.
export class Form {
  constructor(rubric, item) {
    this.rubric = rubric;
    this.item = item;
    this.answers = { ...item.form.answers };
    this.texts = { ...item.form.texts };
    this.ofSentences = rubric.dimensions.filter((d) => d.per_claim);
    this.ofWhole = rubric.dimensions.filter((d) => !d.per_claim);
    this.numbers = item.sentences.map((_, i) => i + 1);
  }

  static key(name, sentence) { return sentence ? `${name}_${sentence}` : name; }

  holds(condition, sentence) {
    return Boolean(condition) && condition.any_of.includes(this.answers[Form.key(condition.dimension, sentence)]);
  }

  asked(dimension, sentence) { return !dimension.when || this.holds(dimension.when, sentence); }
  noted(sentence) { return this.holds(this.rubric.note_when, sentence); }
  editing() { return this.holds(this.rubric.edit_when); }

  // The questions that are asked now, in the order of the page.
  steps() {
    const out = [];
    for (const sentence of this.numbers)
      for (const d of this.ofSentences)
        if (this.asked(d, sentence)) out.push({ key: Form.key(d.name, sentence), dimension: d, sentence });
    for (const d of this.ofWhole)
      if (this.asked(d)) out.push({ key: d.name, dimension: d, sentence: null });
    return out;
  }

  missing() { return this.steps().filter((s) => this.answers[s.key] === undefined); }

  // The step to go to when this one is answered: the next open one, else the first open one, else this one.
  after(key) {
    const steps = this.steps();
    const here = steps.findIndex((s) => s.key === key);
    const open = (s) => this.answers[s.key] === undefined;
    return (steps.slice(here + 1).find(open) || steps.find(open) || steps[here] || steps[0])?.key;
  }

  // Everything that is filled in, what is hidden now included: a draft loses nothing.
  draft(seconds) { return { answers: this.answers, texts: this.texts, seconds }; }

  // What is asked and shown: the form as it is sent.
  final(seconds) {
    const answers = {};
    for (const s of this.steps()) if (this.answers[s.key] !== undefined) answers[s.key] = this.answers[s.key];
    const texts = {};
    for (const n of this.numbers)
      if (this.noted(n) && this.texts[`note_${n}`]) texts[`note_${n}`] = this.texts[`note_${n}`];
    if (this.rubric.comment && this.texts.comment) texts.comment = this.texts.comment;
    if (this.editing()) texts.edited = this.texts.edited ?? this.item.rationale;
    return { answers, texts, seconds };
  }

  describe(key) {
    const step = this.steps().find((s) => s.key === key);
    if (!step) return key === "edited" ? "the correction" : "";
    return step.sentence ? `sentence ${step.sentence}` : step.dimension.title;
  }
}
