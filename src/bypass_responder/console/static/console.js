"use strict";

/* Two comforts. Without them, times are in UTC and the text for the ticket is selected by hand. */
function button(label, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", () => press(made));
  return made;
}

function localTime(pressed) {
  const local = pressed.getAttribute("aria-pressed") !== "true";
  pressed.setAttribute("aria-pressed", String(local));
  for (const each of document.querySelectorAll("time[datetime]")) {
    each.dataset.utc ??= each.textContent;
    each.textContent = local
      ? new Date(each.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" })
      : each.dataset.utc;
  }
}

const place = document.querySelector("footer p");
const times = button("Local time", localTime);
times.setAttribute("aria-pressed", "false");
place.append(" ", times);

for (const text of document.querySelectorAll("pre[data-copy]")) {
  text.before(
    button("Copy", async (pressed) => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        pressed.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        pressed.textContent = "Selected: press Ctrl+C";
      }
    }),
  );
}
