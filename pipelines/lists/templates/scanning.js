"use strict";
// A scanner types as a keyboard does, but faster than anybody, and ends with Enter.
const FASTEST_HAND_MS = 50;
const SHORTEST_NUMBER = 4;
const INPUT_METHOD = "Process";

/* Calls `scanned` with each number that a scanner typed, wherever the focus was, and takes it out of the field into
   which it went; calls `keyed` with each single key pressed outside of fields, once it cannot be part of a number. */
const listenForScans = (scanned, keyed) => {
  let [burst, last, waiting] = ["", Number.NEGATIVE_INFINITY, 0];
  let [field, text] = [null, ""];
  // An input method shows what it takes for itself by the place of the key only.
  const characterOf = (event) => {
    if (event.key === INPUT_METHOD) return /^(?:Key|Digit)(.)$/.exec(event.code)?.[1] ?? "";
    return event.key.length === 1 ? event.key : "";
  };
  const settle = () => {
    clearTimeout(waiting);
    const keys = field === null && burst.length < SHORTEST_NUMBER ? [...burst] : [];
    burst = "";
    keys.forEach(keyed);
  };
  const begin = (target) => {
    settle();
    field = target.matches("select, textarea, input:not([type=radio], [type=checkbox])") ? target : null;
    text = field?.value;
  };
  const end = (event) => {
    clearTimeout(waiting);
    const number = burst;
    burst = "";
    event.preventDefault();
    event.stopImmediatePropagation();
    if (field !== null) {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    scanned(number);
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift" || event.repeat) return;
    const fast = event.timeStamp - last <= FASTEST_HAND_MS;
    const character = characterOf(event);
    if (character !== "") {
      if (!fast || burst === "") begin(event.target);
      // A blank within a number would press the button that has the focus.
      else if (character === " " && field === null) event.preventDefault();
      burst += character;
      last = event.timeStamp;
      clearTimeout(waiting);
      waiting = setTimeout(settle, FASTEST_HAND_MS + 10);
    } else if ([event.key, event.code].includes("Enter") && fast && burst.length >= SHORTEST_NUMBER) end(event);
    else settle();
  }, true);
};

/* Two low tones, for eyes that are on the parcel. A browser without sound still shows what there is to see. */
const soundOfRefusal = () => {
  try {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    tone.type = "square";
    tone.frequency.setValueAtTime(330, audio.currentTime);
    tone.frequency.setValueAtTime(220, audio.currentTime + 0.15);
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.35);
    tone.addEventListener("ended", () => audio.close());
  } catch {
    // No device to play on.
  }
};
