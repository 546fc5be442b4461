// The page: ties pictures, tools, the server's states and the panels together.

import * as api from './api.js';
import { Drawing, whiteOnNothing } from './drawing.js';
import { listen } from './keys.js';
import * as panels from './panels.js';
import * as stage from './stage.js';
import { makeTools } from './tools.js';

const $ = id => document.getElementById(id);
const overlay = $('overlay');

let info = null;
let session = null;      // the server's last state
let stopWatching = null;
let drawing = null;
let sample = null;       // where the picture is one of the samples
let tool = 'brush';
let view = 'draw';
let chosen = null;       // number of the result that is shown
let share = 0.5;         // where the slider stands
let cursor = null;
let pressed = null;      // the pointer that draws
let hand = null;         // the tool that it holds: stays the same until it is released, whatever is pressed or shown meanwhile
let lost = false;        // the server does not answer
const match = { busy: false, wanted: null };
const drawings = new Map(); // of every picture that this page has shown, for Back and Forward

const brushSize = () => panels.brushSize(drawing);
const tools = makeTools(() => drawing, brushSize, refresh);

// The opened address holds the token: it has done its work and must not stay on the screen or in the history. What is behind # names the picture.
history.replaceState(null, '', `/${location.hash}`);

async function attempt(work) {
  panels.showProblem(null);
  try {
    return await work();
  } catch (problem) {
    panels.showProblem(problem.message);
  }
}

// Pictures

async function openPicture(blob) {
  if (blob.size > info.maxUploadBytes) throw new api.Problem({ title: 'The picture file is too large.', detail: `Up to ${info.maxUploadBytes >> 20} MiB are accepted.` });
  await show(await api.open(blob));
}

/** Shows a picture that the server has, and makes it the page's address: a reload finds it again, Back the one before. */
async function show(opened) {
  // As the server read it: upright, in its own pixels.
  const picture = await createImageBitmap(await api.fetchBlob(api.picturePath(opened.id)));
  stopWatching?.();
  if (!drawings.has(opened.id)) drawings.set(opened.id, new Drawing(picture));
  [session, chosen, drawing, sample] = [opened, opened.history.at(-1)?.number ?? null, drawings.get(opened.id), null];
  if (location.hash !== `#${opened.id}`) history.pushState(null, '', `#${opened.id}`);
  stopWatching = api.watch(opened.id, onState, onContact);
  $('empty').hidden = true;
  stage.show(drawing);
  onState(opened);
  setView('draw');
}

/** Shows what the address names: after a reload, Back or Forward. */
const resume = () => attempt(async () => {
  const id = location.hash.slice(1);
  if (id === (session?.id ?? '')) return;
  // The start is where a fresh page is.
  if (!id) return location.reload();
  try {
    await show(await api.find(id));
  } catch (problem) {
    history.replaceState(null, '', session ? `#${session.id}` : '/');
    throw problem;
  }
});

const openSample = asked => attempt(async () => {
  await openPicture(await api.fetchBlob(api.samplePath(asked.name, 'source')));
  sample = asked;
  panels.useSample(sample.seed);
  refresh();
});

/** Lays a sample's own sketch over it, for those who only want to see an edit. */
const useSampleSketch = () => attempt(async () => {
  const image = await createImageBitmap(await api.fetchBlob(api.samplePath(sample.name, 'sketch')));
  drawing.add({ kind: 'image', image: whiteOnNothing(image) });
  setView('draw');
});

// Edits

const run = () => attempt(async () => {
  if ($('run').disabled) return;
  const order = { ...panels.order(), ...(await drawing.toOrder()) };
  onState(await api.edit(session.id, order));
});

const cancel = () => attempt(() => session && api.cancel(session.id));

function onState(state) {
  if (state.id !== session?.id) return;
  // The answer that an edit began may come behind the news of its end.
  if (panels.isUnderWay(state.edit) && state.edit.number === session.edit?.number && !panels.isUnderWay(session.edit)) return;
  const before = session;
  session = state;
  panels.showEdit(state.edit, state.edit?.previews > 0 ? api.previewPath(state.id, state.edit) : null);
  panels.showHistory(state, chosen, choose);
  const newest = state.history.at(-1)?.number ?? null;
  if (newest !== null && newest !== (before.history.at(-1)?.number ?? null)) choose(newest);
  refresh();
}

/** The browser tries again by itself; whoever waits must know why nothing comes. */
function onContact(there) {
  if (there !== lost) return;
  lost = !there;
  panels.showProblem(lost ? 'The Studio does not answer. Is the command still running?' : null);
}

function choose(number) {
  chosen = number;
  panels.showHistory(session, chosen, choose);
  // A stroke that is being drawn is not torn from the pointer.
  setView(hand ? 'draw' : view === 'matches' ? 'matches' : 'compare');
}

// What is seen

function setView(next) {
  view = chosen === null ? 'draw' : next;
  if (view === 'matches' && !result()?.matches) view = 'compare';
  if (view === 'matches') stage.paintMatch(null, null);
  refresh();
}

const result = () => session?.history.find(r => r.number === chosen);

function refresh() {
  if (!drawing) return;
  panels.showView(view, tool, chosen !== null, result()?.matches, drawing);
  panels.showDrawing(drawing, session, sample);
  stage.compare(view === 'draw' ? null : api.resultPath(session.id, chosen), view === 'compare' ? share : 0);
  const drawsWithBrush = tool === 'brush' || tool === 'eraser';
  if (view !== 'matches') {
    stage.paint({
      pendingDrag: tools.arrow.pending,
      pendingLasso: tools.lasso.pending,
      cursor: cursor && drawsWithBrush ? { at: cursor, size: brushSize() } : null,
      visible: view === 'draw',
    });
  }
  overlay.style.cursor = view === 'compare' ? 'ew-resize' : view === 'matches' ? 'crosshair' : drawsWithBrush ? 'none' : tool === 'lasso' ? 'cell' : 'crosshair';
}

/** Asks for the match under the pointer: one question at a time, the newest point next. */
async function askMatch(point) {
  match.wanted = point;
  if (match.busy) return;
  match.busy = true;
  while (match.wanted && view === 'matches') {
    const at = match.wanted;
    match.wanted = null;
    const answer = await api.match(session.id, chosen, at.x, at.y).catch(() => null);
    if (view === 'matches') stage.paintMatch(at, answer);
  }
  match.busy = false;
}

// Pointers

overlay.addEventListener('pointerdown', event => {
  // The other end of a pen is button 5.
  const rubber = event.button === 5;
  if (pressed !== null || (event.button !== 0 && !rubber)) return;
  pressed = event.pointerId;
  overlay.setPointerCapture(pressed);
  const at = stage.pointOf(event);
  if (view === 'draw') {
    hand = tools[rubber ? 'eraser' : tool];
    hand.begin(at);
  } else {
    onCompareMove(at);
  }
});

overlay.addEventListener('pointermove', event => {
  const drawn = event.pointerId === pressed;
  cursor = event.pointerType === 'touch' ? null : stage.pointOf(event);
  if (drawn && hand) {
    // A fast pen reports several places at once.
    const all = event.getCoalescedEvents?.() ?? [];
    for (const e of all.length ? all : [event]) hand.move(stage.pointOf(e));
  } else if (view === 'draw') {
    refresh();
  } else if (drawn || view === 'matches') {
    onCompareMove(stage.pointOf(event));
  }
});

const release = (event, cancelled) => {
  if (event.pointerId !== pressed) return;
  hand?.[cancelled ? 'cancel' : 'end']();
  pressed = hand = null;
  refresh();
};
overlay.addEventListener('pointerup', event => release(event, false));
overlay.addEventListener('pointercancel', event => release(event, true));
overlay.addEventListener('pointerleave', () => { cursor = null; if (view !== 'matches') refresh(); });

function onCompareMove(at) {
  const x = at.x / drawing.width;
  if (view === 'compare') {
    share = Math.min(1, Math.max(0, x));
    refresh();
  } else if (x >= 0 && x < 1 && at.y >= 0 && at.y < drawing.height) {
    askMatch(at);
  }
}

// Buttons, keys, files

const setTool = name => { tool = name; setView('draw'); };
const change = work => () => { if (drawing && !hand) { work(); setView('draw'); } };
const undo = change(() => drawing.undo());
const redo = change(() => drawing.redo());
const clear = change(() => drawing.isEmpty || drawing.add({ kind: 'clear' }));
const openDialog = () => $('file').click();
const dice = () => panels.dice();
const slide = by => () => { if (view === 'compare') { share = Math.min(1, Math.max(0, share + by)); refresh(); } };
const resize = by => () => { panels.changeBrush(by); refresh(); };
const openFile = file => file && attempt(() => openPicture(file));

for (const button of document.querySelectorAll('[data-tool]')) button.onclick = () => setTool(button.dataset.tool);
for (const button of document.querySelectorAll('[data-view]')) button.onclick = () => setView(button.dataset.view);
Object.entries({ undo, redo, clear, run, cancel, open: openDialog, dice }).forEach(([id, action]) => { $(id).onclick = action; });
$('sample-sketch').onclick = useSampleSketch;
$('continue').onclick = () => attempt(async () => openPicture(await api.fetchBlob(api.resultPath(session.id, chosen))));
$('file').onchange = event => { openFile(event.target.files[0]); event.target.value = ''; };
$('brush').oninput = refresh;

listen({
  B: () => setTool('brush'), E: () => setTool('eraser'), A: () => setTool('arrow'), L: () => setTool('lasso'),
  D: () => setView('draw'), C: () => setView('compare'), M: () => setView('matches'),
  'Ctrl+Z': undo, 'Ctrl+Shift+Z': redo, 'Ctrl+Y': redo, Delete: clear, 'Ctrl+Enter': run, Escape: cancel,
  O: openDialog, R: dice, S: () => chosen !== null && $('download').click(),
  '[': resize(-2), ']': resize(2), ArrowLeft: slide(-0.02), ArrowRight: slide(0.02),
});

const place = $('stage');
place.addEventListener('dragover', event => { event.preventDefault(); place.classList.add('dropping'); });
place.addEventListener('dragleave', () => place.classList.remove('dropping'));
place.addEventListener('drop', event => {
  event.preventDefault();
  place.classList.remove('dropping');
  openFile(event.dataTransfer.files[0]);
});
new ResizeObserver(() => { stage.fit(); refresh(); }).observe(place);

await attempt(async () => {
  info = await api.about();
  panels.showAbout(info, openSample);
});
addEventListener('popstate', resume);
await resume();
