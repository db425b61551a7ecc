// Elements of a picture, in one line each.

import { filled } from "./dom.js";

export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}
