"use strict";
const NUMBERS = new Set(["assessed_unit_price", "recovered_tax_cny", "found_line", "found_quantity"]);
const OF_INSPECTIONS = /^(?:inspected_on|assessed_unit_price|recovered_tax_cny|found_(?!line).*)$/;

/* Entries as `feedback` reads them: one file for the list that `about` describes. */
const saveResults = (about, kept) => {
  const { results: _, ...list } = about;
  const rows = kept.toSorted((a, b) => a.rank - b.rank).map(({ rank, declaration_id, line_no, entry }) => {
    const row = { rank, declaration_id, line_no, results: {} };
    for (const [name, value] of Object.entries(entry)) {
      if (name.startsWith("result_")) row.results[name.slice("result_".length)] = value;
      else if (NUMBERS.has(name)) row[name] = Number(value);
      else row[name] = value;
    }
    return row;
  });
  const content = { ...list, exported_at: new Date().toISOString(), rows };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  const name = [about.customs_office, about.shift, about.declared_on].filter(Boolean).join("-");
  link.download = `results-${name.replace(/[^\p{L}\p{N}-]+/gu, "_").slice(0, 80)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

/* Whether a form says what came of an inspection of the parcel itself. */
const isOpened = (form) => {
  const entries = [...new FormData(form)].filter(([, value]) => value.trim() !== "");
  if (entries.some(([name]) => name === "opened_instead")) return false;
  return entries.some(([name, value]) => (name.startsWith("result_") ? value !== "not_examined" : OF_INSPECTIONS.test(name)));
};

/* What `feedback` would refuse of a form, and what it may: by field the name of what to say. `own` says whether a number
is that of the parcel itself, `listed` whether it is one of this list, `today` is the last day that may be named. */
const faultsOf = (form, declaredOn, today, own, listed) => {
  const faults = [];
  for (const field of form.elements) {
    const { name, value, validity } = field;
    const number = Number(value);
    if (!name || field.type === "radio") continue;
    if (validity.badInput) faults.push([field, "unreadable"]);
    else if (value.trim() === "") continue;
    else if (name === "assessed_unit_price" && !(number > 0)) faults.push([field, "price"]);
    else if (name === "found_quantity" && !(number > 0)) faults.push([field, "quantity"]);
    else if (name === "found_hs_code" && !/^\d{3,10}$/.test(value.normalize("NFKC").replace(/[.\s]/g, ""))) faults.push([field, "heading"]);
    else if (name === "not_opened" && isOpened(form)) faults.push([field, "opened"]);
    else if (field.type === "number" && !(number >= 0)) faults.push([field, "amount"]);
    else if (field.type === "date" && value < declaredOn) faults.push([field, "early"]);
    else if (field.type === "date" && value > today) faults.push([field, "late"]);
    else if (name === "opened_instead" && own(value)) faults.push([field, "itself"]);
    else if (name === "opened_instead" && !listed(value)) faults.push([field, "unlisted"]);
  }
  return faults;
};
