"use strict";
(() => {
  const about = JSON.parse(document.body.dataset.about);
  const kept = new Kept(about);
  const tools = document.querySelector("form.tools");
  const tool = (name) => tools.elements.namedItem(name);
  const table = document.querySelector("table");
  const parcels = [...table.tBodies];
  const formOf = new Map(parcels.map((parcel) => [parcel, parcel.querySelector("form.fields")]));
  const texts = new Map(parcels.map((parcel) => [
    parcel, `${parcel.querySelector(".about").textContent} ${parcel.dataset.rank} ${parcel.dataset.order}`.toLowerCase(),
  ]));
  const byKey = new Map(parcels.map((parcel) => [kept.keyOf(parcel), parcel]));
  const entries = new Map();
  // Those whose entry was made for an earlier issue of the list, until somebody says that it holds or changes it.
  const earlier = new Set();
  const past = new Past();

  const forgetful = () => {
    document.querySelector("#forgetful").hidden = false;
  };
  // A browser may forbid storage, or hand back what another program wrote there.
  const take = (parcel, text) => {
    let found = null;
    try {
      found = Kept.parse(text());
    } catch {
      forgetful();
    }
    entries.set(parcel, found?.entry ?? {});
    if (kept.isEarlier(found)) earlier.add(parcel);
    else earlier.delete(parcel);
  };
  const load = () => {
    for (const [key, parcel] of byKey) {
      take(parcel, () => {
        kept.adopt(parcel);
        return localStorage.getItem(key);
      });
    }
  };
  const keep = (parcel, entry, field = "") => {
    past.remember(parcel, field, entryOf(parcel));
    write(parcel, entry);
  };
  const write = (parcel, entry) => {
    entries.set(parcel, entry);
    try {
      kept.write(parcel, entry);
    } catch {
      forgetful();
    }
    if (earlier.delete(parcel)) tellEarlier();
    count();
  };

  const entryOf = (parcel) => entries.get(parcel) ?? {};
  const isFilled = (parcel) => Object.keys(entryOf(parcel)).length > 0;
  // Whether a parcel's results are already those that a key would give.
  const isSaid = (parcel, key) => {
    const entry = entryOf(parcel);
    const answers = about.results.map(({ name }) => entry[name]).filter(Boolean);
    if (answers.length === 0 || (key === NOTHING_FOUND && answers.includes("found"))) return false;
    const outcome = outcomeOf(key, entry, about.results, tool("today").value);
    return Object.keys(outcome).every((name) => outcome[name] === entry[name]);
  };
  const read = (parcel) => {
    const entry = {};
    for (const [name, value] of new FormData(formOf.get(parcel))) {
      if (value.trim() !== "") entry[name] = value.trim();
    }
    return entry;
  };
  const show = (parcel) => {
    const entry = entryOf(parcel);
    for (const field of formOf.get(parcel).elements) {
      if (field.type === "radio") field.checked = entry[field.name] === field.value;
      else if (field.name) field.value = entry[field.name] ?? "";
    }
  };

  const say = (name, words) => {
    const output = tool(name);
    output.textContent = output.dataset.words.replace(/\{(\w+)\}/g, (_, key) => words[key]);
  };
  const count = () => {
    const filled = parcels.filter(isFilled);
    for (const parcel of parcels) {
      parcel.classList.toggle("filled", isFilled(parcel));
      const found = parcel.querySelector(".found");
      const isFound = Object.entries(entryOf(parcel)).some(([name, value]) => value === "found" || name.startsWith("found_"));
      // Once, so that who closes it has peace.
      if (isFound && !found.dataset.shown) found.open = true;
      found.dataset.shown = isFound ? "yes" : "";
      for (const button of parcel.querySelectorAll(".outcomes [data-key]")) {
        button.setAttribute("aria-pressed", isSaid(parcel, button.dataset.key));
      }
      // On paper an empty date is a box to write into, not a pattern of letters.
      formOf.get(parcel).elements.namedItem("inspected_on").classList.toggle("given", "inspected_on" in entryOf(parcel));
    }
    say("done", { filled: filled.length, all: parcels.length });
    tool("undo").disabled = past.empty;
    tool("export").disabled = filled.length === 0;
  };
  const filter = () => {
    const words = tool("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (parcel) => words.every((word) => texts.get(parcel).includes(word))
      && ["risk", "chosen"].every((name) => ["", parcel.dataset[name]].includes(tool(name).value))
      && ["", isFilled(parcel) ? "yes" : "no"].includes(tool("filled").value);
    for (const parcel of parcels) parcel.hidden = !fits(parcel);
    say("shown", { shown: parcels.filter((parcel) => !parcel.hidden).length, all: parcels.length });
  };

  const plain = (text) => text.trim().toUpperCase();
  const number = (text) => (text === "" ? Number.NEGATIVE_INFINITY : Number(text));
  const measured = {
    shortfall: (data) => (data.usual === "" || data.declared === ""
      ? Number.NEGATIVE_INFINITY : Number(data.usual) - Number(data.declared)),
  };
  const asText = new Set(["declaration", "waybill", "goods", "risk"]);
  const compare = (key) => {
    if (asText.has(key)) return (a, b) => a.dataset[key].localeCompare(b.dataset[key], document.documentElement.lang);
    const value = measured[key] ?? ((data) => number(data[key]));
    return (a, b) => {
      const [left, right] = [value(a.dataset), value(b.dataset)];
      return left < right ? -1 : Number(left > right);
    };
  };
  const sort = () => {
    const key = tool("sort").value;
    const sign = tool("reverse").checked ? -1 : 1;
    const by = compare(key);
    parcels.sort((a, b) => sign * by(a, b) || Number(a.dataset.rank) - Number(b.dataset.rank));
    table.append(...parcels);
    for (const header of table.tHead.rows[0].cells) {
      header.removeAttribute("aria-sort");
      if (header.dataset.sort === key) header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    }
  };

  const localDay = () => {
    const now = new Date();
    return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  };
  // A simulated list may be of a day to come: its results may be, too.
  const isToCome = () => localDay() < about.declared_on;
  const today = () => (isToCome() ? about.declared_on : localDay());
  const keptNow = () => parcels.filter(isFilled).map((parcel) => ({
    rank: Number(parcel.dataset.rank),
    declaration_id: parcel.dataset.declaration,
    line_no: Number(parcel.dataset.line),
    entry: entryOf(parcel),
  }));
  const faultsNow = () => {
    const numbers = ({ dataset }) => ["waybill", "declaration", "order"].map((name) => plain(dataset[name]));
    const listed = new Set(parcels.flatMap(numbers));
    return parcels.toSorted((a, b) => Number(a.dataset.rank) - Number(b.dataset.rank)).flatMap((parcel) => faultsOf(
      formOf.get(parcel), about.declared_on, isToCome() ? "9999-12-31" : today(),
      (number) => plain(number) === plain(parcel.dataset.declaration), (number) => listed.has(plain(number)),
    ).map(([field, fault]) => ({ parcel, field, fault })));
  };
  let doubted = "";
  const exportResults = () => {
    const box = document.querySelector("#faults");
    const faults = faultsNow();
    for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const lines = faults.map(({ parcel, field, fault }) => {
      field.setAttribute("aria-invalid", "true");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${parcel.dataset.rank}: ${box.dataset[fault]} ${field.value}`;
      button.addEventListener("click", () => {
        reveal(parcel);
        field.focus();
        field.scrollIntoView({ block: "center" });
      });
      return button;
    });
    // Only `feedback` knows what else was declared: a number that is not on this list is asked for once.
    const doubts = faults.every(({ fault }) => fault === "unlisted")
      ? faults.map(({ parcel, field }) => `${parcel.dataset.rank} ${field.value}`).join("\n") : "";
    const held = faults.length > 0 && (doubts === "" || doubts !== doubted);
    doubted = doubts;
    box.hidden = !held;
    box.querySelector("div").replaceChildren(...lines);
    if (held) lines[0].focus();
    else saveResults(about, keptNow());
  };
  const tellEarlier = () => {
    const taken = parcels.filter((parcel) => earlier.has(parcel));
    const box = document.querySelector("#taken-over");
    box.hidden = taken.length === 0;
    box.querySelector("span").textContent = box.dataset.words
      .replace("{entries}", () => taken.map(({ dataset }) => `${dataset.rank} (${dataset.declaration})`).join(document.body.dataset.comma));
    const left = kept.leftBehind(parcels);
    const rest = document.querySelector("#left-behind");
    rest.hidden = left.length === 0;
    rest.querySelector("span").textContent = rest.dataset.words
      .replace("{parcels}", () => left.map(({ declaration_id }) => declaration_id).join(document.body.dataset.comma));
    rest.querySelector("button").onclick = () => {
      for (const list_id of new Set(left.map((each) => each.list_id))) {
        saveResults({ ...about, list_id }, left.filter((each) => each.list_id === list_id));
      }
    };
  };

  const changed = (parcel, field) => {
    const form = formOf.get(parcel);
    const inspected = form.elements.namedItem("inspected_on");
    if (field.type === "radio" && inspected.value === "" && !isFilled(parcel)) inspected.value = tool("today").value;
    if (field.name === "not_opened" && field.value !== "" && form.elements.namedItem("opened_instead").value === "") {
      inspected.value = "";
    }
    keep(parcel, read(parcel), field.name);
  };

  const open = (parcel) => {
    parcel?.querySelector("th").focus();
    parcel?.scrollIntoView({ block: "nearest" });
  };
  const go = (step) => {
    const visible = parcels.filter((parcel) => !parcel.hidden);
    const here = visible.indexOf(document.activeElement.closest("tbody"));
    open(visible[here < 0 ? 0 : Math.min(Math.max(here + step, 0), visible.length - 1)]);
  };

  const cases = new Cases(() => parcels, (parcel) => {
    reveal(parcel);
    open(parcel);
  }, (number) => refuse(number));

  const keyed = (key) => {
    const here = document.activeElement.closest("tbody");
    if (cases.takes(key) || cases.shown) return;
    if (key === UNDO) undo();
    else if (key === CASE && here) cases.open(here.dataset.declaration);
    else answer(document.activeElement.closest("tbody"), key);
  };
  const answer = (parcel, key) => {
    const outcome = parcel && outcomeOf(key, entryOf(parcel), about.results, tool("today").value);
    if (!outcome) return;
    keep(parcel, outcome);
    show(parcel);
    parcel.querySelector("th").focus();
    go(1);
  };
  const undo = () => {
    const last = past.takeBack(entryOf);
    if (last) {
      write(last.parcel, last.entry);
      show(last.parcel);
      open(last.parcel);
    }
    count();
  };

  const missing = document.querySelector("#missing");
  const named = (number) => {
    const found = parcels.filter(({ dataset }) => ["waybill", "declaration", "order"]
      .some((name) => dataset[name] !== "" && plain(dataset[name]) === plain(number)));
    // An order may have come in several parcels.
    return found.find((parcel) => !isFilled(parcel)) ?? found[0];
  };
  const reveal = (parcel) => {
    if (!parcel.hidden) return;
    for (const name of ["search", "risk", "chosen", "filled"]) tool(name).value = "";
    filter();
  };
  const refuse = (number) => {
    missing.hidden = false;
    missing.textContent = missing.dataset.words.replace("{number}", () => number);
    // Reading a measure draws the page, so that the animation begins anew.
    if (document.body.offsetHeight > 0) document.body.classList.add("refused");
  };
  const scanned = (number) => {
    const parcel = named(number);
    missing.hidden = parcel !== undefined;
    document.body.classList.remove("refused");
    if (parcel === undefined) {
      refuse(number);
      soundOfRefusal();
      return;
    }
    if (cases.shown) cases.close();
    reveal(parcel);
    open(parcel);
  };
  const searched = () => {
    const number = tool("search").value;
    if (named(number) !== undefined || parcels.every((parcel) => parcel.hidden)) scanned(number);
    else go(0);
    // What is typed next replaces it.
    if (document.activeElement === tool("search")) tool("search").select();
  };
  const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches("input, select, textarea");
    const parcel = event.target.closest("tbody");
    if (event.key === "Escape" && !missing.hidden) {
      missing.hidden = true;
    } else if (cases.shown) {
      // Letters come through `keyed`: a scanner types them, too.
      if (event.key !== "Escape" || !cases.takes(event.key)) return;
    } else if (event.key === "Escape" && parcel) {
      parcel.querySelector("th").focus();
    } else if (event.key === "Enter" && event.target === tool("search")) {
      searched();
    } else if (typing || (event.target.matches("button, summary") && event.key === "Enter")) {
      return;
    } else if (event.key === "/") {
      tool("search").focus();
    } else if (event.key in steps) {
      go(steps[event.key]);
    } else if (event.key === "Enter" && parcel) {
      formOf.get(parcel).querySelector("input").focus();
    } else {
      return;
    }
    event.preventDefault();
  });

  for (const header of table.tHead.querySelectorAll("[data-sort]")) {
    header.querySelector("button").addEventListener("click", () => {
      tool("reverse").checked = header.getAttribute("aria-sort") === "ascending";
      tool("sort").value = header.dataset.sort;
      sort();
    });
  }
  for (const [parcel, form] of formOf) {
    form.addEventListener("input", (event) => changed(parcel, event.target));
    form.addEventListener("change", () => past.close());
    for (const button of parcel.querySelectorAll(".outcomes [data-key]")) {
      button.addEventListener("click", () => answer(parcel, button.dataset.key));
    }
    parcel.querySelector(".to-case").addEventListener("click", () => cases.open(parcel.dataset.declaration));
    form.querySelector(".clear").addEventListener("click", () => {
      keep(parcel, {});
      show(parcel);
    });
  }
  tools.addEventListener("input", (event) => {
    if (["sort", "reverse"].includes(event.target.name)) sort();
    else if (event.target.name !== "today") filter();
  });
  listenForScans(scanned, keyed);
  tool("undo").addEventListener("click", undo);
  document.addEventListener("submit", (event) => event.preventDefault());
  tool("export").addEventListener("click", exportResults);
  window.addEventListener("storage", (event) => {
    const parcel = byKey.get(event.key);
    if (event.key !== null && parcel === undefined) return;
    // Without a key somebody cleared everything.
    if (parcel === undefined) load();
    else take(parcel, () => event.newValue);
    (parcel === undefined ? parcels : [parcel]).forEach(show);
    tellEarlier();
    count();
  });

  load();
  tool("today").value = today();
  // On a phone it would fill the first screen.
  if (matchMedia("(max-width: 40rem)").matches) document.querySelector(".guide").open = false;
  parcels.forEach(show);
  tools.hidden = false;
  document.querySelector(".bar").hidden = false;
  // A browser that keeps nothing has nothing of before.
  try {
    tellEarlier();
  } catch {
    forgetful();
  }
  document.querySelector("#taken-over button").addEventListener("click", () => {
    for (const parcel of [...earlier]) write(parcel, entryOf(parcel));
  });
  count();
  filter();
  cases.tell();
})();
