"use strict";
const CASE = "c";
const NAMED = /^#case=(.*)$/;

/* The case of a parcel takes the place of the list where the address names it: a link leads to it, and Back to the list.
`parcels` are the rows in their order on the page, `row` leads to one of them, `unknown` tells of a number without a case. */
class Cases {
  #title = document.title;
  #place = document.querySelector(".cases");
  #of = new Map([...document.querySelectorAll("template")].map((each) => [each.dataset.case, each]));
  #parcels;
  #row;
  #unknown;
  #shown = null;
  #fromList = false;

  constructor(parcels, row, unknown) {
    this.#parcels = parcels;
    this.#row = row;
    this.#unknown = unknown;
    window.addEventListener("hashchange", (event) => this.#changed(event));
  }

  get shown() {
    return this.#shown !== null;
  }

  open(declaration, { replace = false } = {}) {
    const hash = `#case=${encodeURIComponent(declaration)}`;
    if (replace) window.location.replace(hash);
    else window.location.hash = hash;
  }

  /* To where the case was opened from; behind one that a link led to is the list. */
  leave() {
    if (this.#fromList) window.history.back();
    else window.location.replace("#");
  }

  /* Another row is asked for. */
  close() {
    window.history.replaceState(null, "", "#");
    this.#show(null);
  }

  /* Whether a key was meant for the case. */
  takes(key) {
    if (!this.shown) return false;
    if (key === "Escape" || key === CASE) this.leave();
    else if (key === "j" || key === "k") this.#step(key === "j" ? 1 : -1);
    else return false;
    return true;
  }

  #step(step) {
    const visible = this.#parcels().filter((parcel) => !parcel.hidden);
    const next = visible[visible.findIndex(({ dataset }) => dataset.declaration === this.#shown) + step];
    if (next) this.open(next.dataset.declaration, { replace: true });
  }

  #changed(event) {
    const before = this.#shown;
    if (before === null) this.#fromList = !NAMED.test(new URL(event.oldURL).hash);
    this.tell();
    const parcel = this.#parcels().find(({ dataset }) => dataset.declaration === before);
    if (parcel && !this.shown) this.#row(parcel);
  }

  /* Shows what the address names. */
  tell() {
    let number = NAMED.exec(window.location.hash)?.[1] ?? null;
    try {
      number = number && decodeURIComponent(number);
    } catch {
      // Nobody's number; it stays as it is.
    }
    if (number !== null && !this.#of.has(number)) this.#unknown(number);
    this.#show(this.#of.has(number) ? number : null);
  }

  /* What the row of a parcel says, its lines unfolded. */
  #copy(parcel) {
    for (const cell of parcel.querySelectorAll(".about td")) {
      const part = document.createElement("section");
      const title = document.createElement("h2");
      title.textContent = cell.dataset.label;
      part.append(title, ...[...cell.childNodes].map((each) => each.cloneNode(true)));
      for (const folded of part.querySelectorAll("details")) folded.open = true;
      this.#place.querySelector(".of-row").append(part);
    }
  }

  #show(number) {
    this.#shown = number;
    this.#place.replaceChildren(...(number === null ? [] : [this.#of.get(number).content.cloneNode(true)]));
    const heading = this.#place.querySelector("h1");
    if (heading) this.#copy(this.#parcels().find(({ dataset }) => dataset.declaration === number));
    document.title = heading ? heading.textContent + document.body.dataset.comma + this.#title : this.#title;
    if (!heading) return;
    // On a phone a row is no row: each cell says what it is.
    for (const table of this.#place.querySelectorAll("table")) {
      const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
      for (const row of table.tBodies[0].rows) {
        for (const cell of row.cells) cell.dataset.label = heads[cell.cellIndex];
      }
    }
    this.#place.querySelector(".print").addEventListener("click", () => window.print());
    this.#place.querySelector(".leave").addEventListener("click", () => this.leave());
    for (const other of this.#place.querySelectorAll(".to-case")) {
      other.addEventListener("click", () => this.open(other.dataset.to));
    }
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }
}
