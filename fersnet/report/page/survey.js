"use strict";
// One item at a time. Answers are kept in the browser under the name of the draw, and saved as a csv by a download.
const { draw, items } = JSON.parse(document.getElementById("items").textContent);
const element = (name) => document.getElementById(name);
const place = `survey-${draw}`;
const persons = { y: "yes", n: "no" };

// Where the browser keeps nothing (private windows, some settings), the answers live as long as the page.
const load = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(place));
    return Array.isArray(kept) && kept.length === items.length ? kept : null;
  } catch {
    return null;
  }
};
const keep = () => {
  try {
    localStorage.setItem(place, JSON.stringify(answers));
  } catch {
    say("This browser keeps nothing: save the answers before you close the page.");
  }
};
const say = (text) => {
  element("message").textContent = text;
  element("message").hidden = text === "";
};

const answers = load() ?? items.map(() => ({ expression: "", same_person: "" }));
const isDone = (answer) => answer.expression !== "" && answer.same_person !== "";
const firstOpen = () => answers.findIndex((answer) => !isDone(answer));
let at = Math.max(firstOpen(), 0);

const choose = (field, value) => {
  const before = isDone(answers[at]);
  answers[at][field] = value;
  keep();
  // Whoever corrects an answer stays; whoever has just given the last one goes on.
  if (!before && isDone(answers[at]) && at < items.length - 1) at += 1;
  show();
};

const addButton = (box, text, key, pressed, action) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${text} (${key})`;
  button.setAttribute("aria-pressed", String(pressed));
  button.setAttribute("aria-keyshortcuts", key);
  button.addEventListener("click", action);
  box.append(button);
};

const show = () => {
  const item = items[at];
  const answer = answers[at];
  const focused = document.activeElement;
  const [box, index] = [focused?.closest("fieldset"), [...(focused?.parentNode?.children ?? [])].indexOf(focused)];
  element("title").textContent = `Face ${at + 1} of ${items.length}`;
  element("face").src = item.face;
  element("beside").src = item.beside;
  element("credit").textContent = item.credit;
  for (const box of [element("expressions"), element("persons")]) {
    while (box.children.length > 1) box.lastElementChild.remove();
  }
  item.choices.forEach((choice, index) =>
    addButton(element("expressions"), choice, String(index + 1), answer.expression === choice, () => choose("expression", choice)));
  for (const [key, value] of Object.entries(persons)) {
    addButton(element("persons"), value, key, answer.same_person === value, () => choose("same_person", value));
  }
  // The buttons are new ones: whoever came to one with the keyboard stays there.
  box?.children[index]?.focus();
  element("back").disabled = at === 0;
  element("next").disabled = at === items.length - 1;
  const done = answers.filter(isDone).length;
  element("open").disabled = done === items.length;
  element("progress").max = items.length;
  element("progress").value = done;
  element("count").textContent = `${done} of ${items.length} answered`;
  if (done === items.length) say("All faces are answered. Save the answers, and send the file to whoever asked you.");
};

const move = (to) => {
  at = Math.min(Math.max(to, 0), items.length - 1);
  show();
};

const save = () => {
  const rows = answers.map((answer, index) => [draw, index + 1, answer.expression, answer.same_person].join(","));
  const text = ["draw,item,expression,same_person", ...rows, ""].join("\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "answers.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

element("back").addEventListener("click", () => move(at - 1));
element("next").addEventListener("click", () => move(at + 1));
element("open").addEventListener("click", () => move(firstOpen()));
element("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const choice = items[at].choices[Number(key) - 1];
  if (choice !== undefined) choose("expression", choice);
  else if (key in persons) choose("same_person", persons[key]);
  else if (event.key === "ArrowLeft") move(at - 1);
  else if (event.key === "ArrowRight") move(at + 1);
  else if (key === "s") save();
});

element("survey").hidden = false;
show();
