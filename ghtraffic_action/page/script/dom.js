// Nodes: the only module that builds elements and text.

const SVG = "http://www.w3.org/2000/svg";
// Control, format, surrogate, private, unassigned and line-separating characters.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const LONGEST_TEXT = 300;

/** @typedef {string | number | Node | null | undefined | Child[]} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * Set attributes and listeners (`onclick`) and append children.
 * @template {Element} T
 * @param {T} node
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {T}
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

/** @param {Element} node @param {Child[]} children */
function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child !== null && child !== undefined) node.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Build an HTML element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Build an SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Build a picture that assistive technology skips: the same is on the page as text.
 * @param {string} viewBox
 * @param {Attributes} attributes
 * @param {...Child} children
 */
function picture(viewBox, attributes, ...children) {
  return s("svg", { viewBox, "aria-hidden": "true", focusable: "false", ...attributes }, ...children);
}

/** @param {Element} node @param {Child[]} children */
function replace(node, children) {
  node.replaceChildren();
  append(node, children);
}

/** Return outsiders' text with a mark in place of each invisible character. @param {string} text */
function visible(text) {
  return text.replace(INVISIBLE, "\uFFFD");
}

/** Build outsiders' text: isolated, so that it cannot turn the text around it. @param {string} text @param {string} [title] */
function foreign(text, title) {
  return h("bdi", { title: visible(title || text).slice(0, LONGEST_TEXT) }, visible(text));
}

/** Build text for screen readers alone. @param {string} text */
function spoken(text) {
  return h("span", { class: "hidden" }, text);
}

/**
 * Build a group of buttons; one of them is pressed.
 * @template T
 * @param {string} label
 * @param {[value: T, text: string, title?: string][]} options
 * @param {() => T} current
 * @param {(value: T) => void} choose
 */
function buttonGroup(label, options, current, choose) {
  const buttons = options.map(([value, text, title]) =>
    h("button", { type: "button", title, onclick: () => choose(value) }, text),
  );
  const box = h("div", { class: "group", role: "group", "aria-label": label }, buttons);
  const update = () =>
    options.forEach(([value], at) => buttons[at]?.setAttribute("aria-pressed", String(value === current())));
  update();
  return { box, update };
}
