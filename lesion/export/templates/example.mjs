// Mask of a lesion with onnxruntime-web alone: node example.mjs PICTURE.ppm MASK.pgm
// Before: npm install onnxruntime-web
import { readFileSync, writeFileSync } from "node:fs";
import * as ort from "onnxruntime-web/wasm";
import { segment } from "./recipe.mjs";

const [picture, target] = process.argv.slice(2);
const read = (name) => readFileSync(new URL(name, import.meta.url));
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(read("model.onnx"));
const content = readFileSync(picture); // a binary PPM: a line of text, then red, green and blue
const [head, width, height] = content
  .toString("latin1", 0, 1000)
  .match(/^P6\s(?:#.*\s)*(\d+)\s+(\d+)\s+255\s/);
const image = { data: content.subarray(head.length), width: +width, height: +height };
const { mask } = await segment(ort, session, JSON.parse(read("model.json")), image);
const header = Buffer.from(`P5 ${width} ${height} 255\n`);
writeFileSync(target, Buffer.concat([header, mask.map((value) => 255 * value)]));
