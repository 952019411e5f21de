"use strict";
const NOTHING_FOUND = "0";
const NOT_EXAMINED = "x";
const UNDO = "u";

/* The entry of a parcel after one key or button said what became of it, undefined where the key says nothing.

`results` are the fields of the risks, in their order, with `seen`: whether opening the parcel settles it. Of the others
"nothing found" would be a false label: they are not examined, unless somebody did and said so. */
const outcomeOf = (key, entry, results, today) => {
  const opened = { inspected_on: today, ...entry };
  if (key === NOTHING_FOUND) {
    const settled = (name) => ["found", "sent", "nothing"].includes(entry[name]);
    const answers = results.map(({ name, seen }) => [
      name, settled(name) ? entry[name] : seen ? "nothing" : "not_examined",
    ]);
    return { ...opened, ...Object.fromEntries(answers) };
  }
  if (key === NOT_EXAMINED) {
    const { inspected_on, ...rest } = entry;
    return { ...rest, ...Object.fromEntries(results.map(({ name }) => [name, "not_examined"])) };
  }
  const found = /^[1-9]$/.test(key) ? results[Number(key) - 1] : undefined;
  return found && { ...opened, [found.name]: "found" };
};

/* What parcels were before each change. Letters typed into one field are one change. */
class Past {
  #changes = [];

  remember(parcel, field, entry) {
    const last = this.#changes.at(-1);
    if (field !== "" && last?.parcel === parcel && last.field === field) return;
    this.#changes.push({ parcel, field, entry });
  }

  /* The next letter begins another change. */
  close() {
    const last = this.#changes.at(-1);
    if (last) last.field = "";
  }

  /* The last parcel that is not as it was, with its entry of before. */
  takeBack(entryOf) {
    for (let last = this.#changes.pop(); last; last = this.#changes.pop()) {
      if (JSON.stringify(last.entry) !== JSON.stringify(entryOf(last.parcel))) return last;
    }
    return undefined;
  }

  get empty() {
    return this.#changes.length === 0;
  }
}
