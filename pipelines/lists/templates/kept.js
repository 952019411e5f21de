"use strict";
/* What was filled in, in the browser's storage: by office, day and declaration, because a list that is issued again has
another number and other ranks. With each entry stands the place for which it was made.

Each parcel has a key of its own: what one tab writes can then never undo what another one wrote. */
class Kept {
  #about;
  #start;

  constructor(about) {
    this.#about = about;
    this.#start = `parcel-risk entry ${JSON.stringify([about.customs_office, about.declared_on])} `;
  }

  keyOf(parcel) {
    return this.#start + parcel.dataset.declaration;
  }

  write(parcel, entry) {
    const { list_id, shift } = this.#about;
    const { rank, declaration, line } = parcel.dataset;
    const kept = { list_id, shift, rank: Number(rank), declaration_id: declaration, line_no: Number(line), entry };
    if (Object.keys(entry).length > 0) localStorage.setItem(this.keyOf(parcel), JSON.stringify(kept));
    else localStorage.removeItem(this.keyOf(parcel));
  }

  /* What is kept under a key, null where nothing is; it throws where another program wrote there. */
  static parse(text) {
    const kept = JSON.parse(text ?? "null");
    if (kept !== null && (typeof kept.entry !== "object" || kept.entry === null)) throw new TypeError("no entry");
    return kept;
  }

  /* As pages of before kept it, under the list's number and the rank. */
  adopt(parcel) {
    const old = `parcel-risk ${this.#about.list_id} ${parcel.dataset.rank}`;
    const text = localStorage.getItem(old);
    if (text === null || localStorage.getItem(this.keyOf(parcel)) !== null) return;
    this.write(parcel, JSON.parse(text));
    localStorage.removeItem(old);
  }

  isEarlier(kept) {
    return kept !== null && kept.list_id !== this.#about.list_id;
  }

  /* Entries of an earlier issue whose parcels are no longer on the list; another shift has a list of its own. */
  leftBehind(parcels) {
    const known = new Set(parcels.map((parcel) => this.keyOf(parcel)));
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#start) && !known.has(key));
    return keys.flatMap((key) => {
      try {
        const kept = Kept.parse(localStorage.getItem(key));
        return this.isEarlier(kept) && kept.shift === this.#about.shift ? [kept] : [];
      } catch {
        return [];
      }
    });
  }
}
