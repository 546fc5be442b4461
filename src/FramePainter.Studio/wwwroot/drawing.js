// What is drawn on a picture: strokes (and erased strokes), drags, one moved region; with undo. It knows nothing of the page.

// A sketch on a small picture is drawn larger, so that strokes have round edges.
const SMALLEST = 512;

export class Drawing {
  #done = [];
  #undone = [];

  constructor(picture) {
    this.picture = picture;
    this.width = picture.width;
    this.height = picture.height;
    this.scale = Math.max(1, Math.ceil(SMALLEST / Math.min(this.width, this.height)));
    this.sketch = makeCanvas(this.width * this.scale, this.height * this.scale);
  }

  /** Adds an item: {kind: 'stroke', points, size, erase} | {kind: 'image', image} | {kind: 'drag', from, to} | {kind: 'move', region, by} | {kind: 'clear'}. */
  add(item) {
    this.#done.push(item);
    this.#undone = [];
    this.#render();
  }

  /** Replaces the item that was added last, such as a region that is moved again. */
  replace(item) {
    this.#done[this.#done.length - 1] = item;
    this.#render();
  }

  undo() { this.#shift(this.#done, this.#undone); }
  redo() { this.#shift(this.#undone, this.#done); }
  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }
  get last() { return this.#done.at(-1); }

  get drags() { return this.#now().filter(i => i.kind === 'drag'); }
  get move() { return this.#now().findLast(i => i.kind === 'move'); }
  get hasSketch() { return this.#now().some(i => (i.kind === 'stroke' && !i.erase) || i.kind === 'image'); }
  get isEmpty() { return this.#now().every(i => i.erase); }

  /** The order's part that the drawing makes. */
  async toOrder() {
    const order = {};
    const move = this.move;
    if (this.hasSketch) order.sketch = await toBase64(this.sketch);
    if (move && (move.by.x || move.by.y)) order.move = { mask: await toBase64(this.#mask(move.region)), x: move.by.x, y: move.by.y };
    if (this.drags.length) order.points = this.drags.map(d => [d.from.x, d.from.y, d.to.x, d.to.y]);
    return order;
  }

  /** Draws one stroke on top, before it is added. */
  preview(stroke) {
    this.#stroke(stroke);
  }

  /** Takes away what was only previewed. */
  redraw() {
    this.#render();
  }

  #now() {
    return this.#done.slice(this.#done.findLastIndex(i => i.kind === 'clear') + 1);
  }

  #shift(from, to) {
    if (from.length) to.push(from.pop());
    this.#render();
  }

  #render() {
    const context = this.sketch.getContext('2d');
    context.clearRect(0, 0, this.sketch.width, this.sketch.height);
    for (const item of this.#now()) {
      if (item.kind === 'stroke') this.#stroke(item);
      if (item.kind === 'image') {
        context.imageSmoothingEnabled = false;
        context.drawImage(item.image, 0, 0, this.sketch.width, this.sketch.height);
      }
    }
  }

  #stroke({ points, size, erase }) {
    const context = this.sketch.getContext('2d');
    context.save();
    context.scale(this.scale, this.scale);
    context.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
    context.strokeStyle = '#fff';
    context.lineWidth = size;
    context.lineCap = context.lineJoin = 'round';
    trace(context, points);
    context.stroke();
    context.restore();
  }

  #mask(region) {
    const mask = makeCanvas(this.width, this.height);
    const context = mask.getContext('2d');
    context.fillStyle = '#000';
    context.fillRect(0, 0, this.width, this.height);
    context.fillStyle = '#fff';
    trace(context, region);
    context.fill();
    return mask;
  }
}

/** A path through points; a single one becomes a dot. */
export function trace(context, points) {
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  // A line of no length has no round ends: the first step is a hair.
  context.lineTo(points[0].x + 0.01, points[0].y);
  for (const p of points.slice(1)) context.lineTo(p.x, p.y);
}

/** Black becomes transparent: a sketch file laid over the picture. */
export function whiteOnNothing(image) {
  const canvas = makeCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data[i + 3] = Math.max(pixels.data[i], pixels.data[i + 1], pixels.data[i + 2]);
    pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function makeCanvas(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

async function toBase64(canvas) {
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
