// The picture on the screen: layers of canvases, scaled to fit; draws what is marked on it and turns pointers into picture points.

import { trace } from './drawing.js';

const MARGIN = 56;
const $ = id => document.getElementById(id);
const layers = { frame: $('frame'), picture: $('picture'), drawing: $('drawing'), overlay: $('overlay'), after: $('after'), divider: $('divider') };

let drawing = null;
let zoom = 1;

/** Shows a picture with its drawing. */
export function show(newDrawing) {
  drawing = newDrawing;
  layers.picture.width = drawing.width;
  layers.picture.height = drawing.height;
  layers.picture.getContext('2d').drawImage(drawing.picture, 0, 0);
  layers.frame.hidden = false;
  fit();
}

/** Makes the picture as large as its place allows. */
export function fit() {
  if (!drawing) return;
  const place = layers.frame.parentElement;
  zoom = Math.max(0.01, Math.min((place.clientWidth - MARGIN) / drawing.width, (place.clientHeight - 2 * MARGIN) / drawing.height));
  const [width, height] = [Math.round(drawing.width * zoom), Math.round(drawing.height * zoom)];
  layers.frame.style.width = `${width}px`;
  layers.frame.style.height = `${height}px`;
  for (const canvas of [layers.drawing, layers.overlay]) {
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
  }
  for (const layer of [layers.picture, layers.after]) layer.classList.toggle('pixelated', zoom > 3);
}

/** Where a pointer is, in the picture's pixels. */
export function pointOf(event) {
  const box = layers.overlay.getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * drawing.width, y: ((event.clientY - box.top) / box.height) * drawing.height };
}

/** Draws sketch, drags and region; pending ones too. */
export function paint({ pendingDrag, pendingLasso, cursor, visible }) {
  begin(layers.overlay);
  const context = begin(layers.drawing);
  if (!visible) return;
  context.drawImage(drawing.sketch, 0, 0, drawing.width, drawing.height);
  // Strokes are white, as the model sees them; a tint keeps them visible on bright pictures.
  context.globalCompositeOperation = 'source-atop';
  context.fillStyle = '#ff3d81';
  context.fillRect(0, 0, drawing.width, drawing.height);
  context.globalCompositeOperation = 'source-over';
  if (drawing.move) paintMove(context, drawing.move);
  if (pendingLasso) outline(context, pendingLasso, false);
  for (const drag of pendingDrag ? [...drawing.drags, pendingDrag] : drawing.drags) paintArrow(context, drag.from, drag.to, '#ffd60a');
  if (cursor) paintCursor(context, cursor);
}

/** Shows an edit beside the source, the border at a share of the width; null hides it. */
export function compare(path, share) {
  layers.after.hidden = path === null;
  layers.divider.hidden = path === null || share === 0;
  if (path === null) return;
  if (layers.after.getAttribute('src') !== path) layers.after.src = path;
  layers.after.style.clipPath = `inset(0 0 0 ${share * 100}%)`;
  layers.divider.style.left = `${share * 100}%`;
}

/** Draws where a point of the edit looked in the source: the heat of all tokens, and the best one. */
export function paintMatch(point, match) {
  const context = begin(layers.overlay);
  if (!match) return;
  const [w, h] = [drawing.width / match.width, drawing.height / match.height];
  match.heat.forEach((heat, i) => {
    context.fillStyle = `rgb(255 61 129 / ${(heat / 1000) * 0.7})`;
    context.fillRect((i % match.width) * w, Math.floor(i / match.width) * h, w, h);
  });
  paintArrow(context, point, match, '#ffd60a');
}

function begin(canvas) {
  const context = canvas.getContext('2d');
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / drawing.width, canvas.height / drawing.height);
  return context;
}

function paintMove(context, { region, by }) {
  if (by.x || by.y) {
    context.save();
    trace(context, region);
    context.fillStyle = '#000a';
    context.fill();
    context.translate(by.x, by.y);
    trace(context, region);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(drawing.picture, 0, 0);
    context.restore();
  }
  context.save();
  context.translate(by.x, by.y);
  outline(context, region, true);
  context.restore();
}

function outline(context, points, closed) {
  for (const [color, offset] of [['#000', 0], ['#fff', 5]]) {
    trace(context, points);
    if (closed) context.closePath();
    context.strokeStyle = color;
    context.lineWidth = 2 / zoom;
    context.setLineDash([5 / zoom, 5 / zoom]);
    context.lineDashOffset = offset / zoom;
    context.stroke();
  }
  context.setLineDash([]);
}

function paintArrow(context, from, to, color) {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const head = 12 / zoom;
  for (const [style, width] of [['#000a', 5], [color, 2.5]]) {
    context.strokeStyle = style;
    context.lineWidth = width / zoom;
    context.lineCap = context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    for (const side of [-1, 1]) {
      context.moveTo(to.x, to.y);
      context.lineTo(to.x - head * Math.cos(angle + side * 0.5), to.y - head * Math.sin(angle + side * 0.5));
    }
    context.stroke();
  }
  context.fillStyle = color;
  context.beginPath();
  context.arc(from.x, from.y, 4 / zoom, 0, 7);
  context.fill();
}

function paintCursor(context, { at, size }) {
  context.strokeStyle = '#fff';
  context.lineWidth = 1.5 / zoom;
  context.beginPath();
  context.arc(at.x, at.y, size / 2, 0, 7);
  context.stroke();
}
