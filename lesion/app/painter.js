// The painter of the page's second tab, run by gr.HTML: `element`, `props`, `watch` are Gradio's.
// props.value: {picture, mask: PNG or JPEG as data URLs, colour of the mask, texts}; its mask follows
// each stroke.
const find = (name) => element.querySelector(name);
const [picture, canvas, ring, size] = ["img", "canvas", ".ring", "input"].map(find);
const context = canvas.getContext("2d");
const buttons = Object.fromEntries(
  [...element.querySelectorAll("button")].map((button) => [button.name, button]));
const UNDONE = 20; // strokes that can be taken back
let erasing = false, down = false, at = null, before = [];

function load(mask) {
  const image = new Image();
  image.onload = () => {
    canvas.width = image.width;
    canvas.height = image.height;
    context.drawImage(image, 0, 0);
    element.dataset.ready = "1"; // for tests: what was asked for can be painted on
  };
  image.src = mask;
}

function show() {
  element.firstElementChild.hidden = !props.value;
  if (!props.value) return;
  const { texts } = props.value;
  for (const [name, button] of Object.entries(buttons)) button.textContent = texts[name];
  find("label span").textContent = texts.size;
  canvas.setAttribute("aria-label", texts.keys);
  picture.src = props.value.picture;
  before = [];
  at = null;
  ring.hidden = true;
  load(props.value.mask);
}

function choose(eraser) {
  erasing = eraser;
  buttons.brush.setAttribute("aria-pressed", !eraser);
  buttons.eraser.setAttribute("aria-pressed", eraser);
}

const scale = () => canvas.width / canvas.clientWidth; // from what is seen to what is painted on

function move(x, y) { // to where the pointer is, in pixels of what is painted on
  const width = size.value * scale();
  if (down) {
    context.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    const { colour } = props.value;
    Object.assign(context, { lineWidth: width, lineCap: "round", strokeStyle: colour });
    context.beginPath();
    context.moveTo(...(at || [x, y]));
    context.lineTo(x, y);
    context.stroke();
  }
  at = [x, y];
  ring.hidden = false;
  const [left, top] = at.map((value) => (value - width / 2) / scale());
  ring.style.cssText = `left:${left}px;top:${top}px;width:${size.value}px;height:${size.value}px`;
}

function press() {
  before = [...before, props.value.mask].slice(-UNDONE);
  down = true;
  ring.classList.add("down");
}

function lift() {
  if (!down) return;
  down = false;
  ring.classList.remove("down");
  props.value = { ...props.value, mask: canvas.toDataURL() };
}

function undo() {
  if (down || !before.length) return;
  props.value = { ...props.value, mask: before.pop() };
  load(props.value.mask);
}

const place = (event) => [event.offsetX * scale(), event.offsetY * scale()];
canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  at = null;
  press();
  move(...place(event));
});
canvas.addEventListener("pointermove", (event) => move(...place(event)));
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", () => { ring.hidden = true; });
canvas.addEventListener("blur", lift);
canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const way = ways[event.key];
  const [x, y] = at || [canvas.width / 2, canvas.height / 2];
  if (way) {
    const step = Math.max(1, (size.value * scale()) / 4);
    const within = (value, side) => Math.min(Math.max(value, 0), side);
    move(within(x + step * way[0], canvas.width), within(y + step * way[1], canvas.height));
  } else if (event.key === " ") {
    if (down) lift(); else { press(); move(x, y); }
  } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
  else return;
  event.preventDefault();
});
buttons.brush.onclick = () => choose(false);
buttons.eraser.onclick = () => choose(true);
buttons.undo.onclick = undo;
choose(false);
watch("value", () => { delete element.dataset.ready; show(); });
show();
