// Elements of a page, in one line each.

export function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function node(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Sets a text, if it is another one. */
export function put(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}
