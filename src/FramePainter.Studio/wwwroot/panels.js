// The panels around the picture: settings, progress, history, messages.

import { resultPath, samplePath } from './api.js';

const $ = id => document.getElementById(id);

// Largest brush as a share of the picture's shorter side.
const LARGEST_BRUSH = 0.12;

const stages = { Prepare: 'Preparing', Describe: 'Reading the picture', Encode: 'Encoding', Control: 'Reading the drawing', Denoise: 'Denoising', Decode: 'Decoding' };
const hints = {
  brush: 'Sketch the outlines where they should be. [ and ] change the brush.',
  eraser: 'Rub strokes out.',
  arrow: 'Press where something is, release where it should go.',
  lasso: 'Draw around a region, then drag it to its new place.',
};

export function showAbout(info, open) {
  $('about').textContent = `${info.version} · ${info.device}`;
  for (const sample of info.samples) {
    const button = document.createElement('button');
    button.title = `Sample ${sample.name}`;
    button.dataset.sample = sample.name;
    const image = new Image();
    image.src = samplePath(sample.name, 'source');
    image.alt = `Sample ${sample.name}`;
    button.append(image);
    button.onclick = () => open(sample);
    $('samples').append(button);
  }
}

/** The reference edits of the samples were drawn with these. */
export function useSample(seed) {
  $('seed').value = seed;
  $('float32').checked = true;
}

export const order = () => ({
  steps: $('steps').valueAsNumber || 0,
  seed: Math.trunc($('seed').valueAsNumber || 0),
  controlScale: $('scale').valueAsNumber,
  guidance: $('guidance').valueAsNumber || 0,
  float32Draws: $('float32').checked,
});

export const dice = () => { $('seed').value = Math.floor(Math.random() * 2 ** 31); };
export const changeBrush = by => { $('brush').value = Number($('brush').value) + by; };

export const isUnderWay = edit => edit?.phase === 'Queued' || edit?.phase === 'Running';

/** Brush in the picture's pixels. */
export const brushSize = drawing => ($('brush').value / 100) * LARGEST_BRUSH * Math.min(drawing.width, drawing.height);

export function showProblem(message) {
  $('problem').hidden = !message;
  $('problem').textContent = message ?? '';
}

export function showDrawing(drawing, session, sample) {
  $('sample-sketch').hidden = !sample || !drawing.isEmpty;
  const editing = isUnderWay(session?.edit);
  const move = drawing.move;
  const movesNothing = drawing.drags.length === 0 && !drawing.hasSketch && (!move || !(move.by.x || move.by.y));
  $('run').disabled = editing || movesNothing;
  $('run').hidden = editing;
  $('cancel').hidden = !editing;
  $('undo').disabled = !drawing.canUndo;
  $('redo').disabled = !drawing.canRedo;
  $('clear').disabled = drawing.isEmpty;
  $('brush-size').textContent = `${brushSize(drawing).toFixed(1)} px`;
  $('scale-value').textContent = $('scale').valueAsNumber.toFixed(2);
}

export function showView(view, tool, hasResult, hasMatches) {
  $('views').hidden = !hasResult;
  for (const button of document.querySelectorAll('[data-view]')) {
    button.setAttribute('aria-pressed', button.dataset.view === view);
    button.disabled = button.dataset.view === 'matches' && !hasMatches;
  }
  for (const button of document.querySelectorAll('[data-tool]')) button.setAttribute('aria-pressed', view === 'draw' && button.dataset.tool === tool);
  $('hint').textContent = view === 'compare' ? 'Drag the slider: before and after.' : view === 'matches' ? 'Point at the edit: where it looked in the source.' : hints[tool];
}

export function showEdit(edit, preview) {
  const active = isUnderWay(edit);
  $('progress').hidden = !edit || edit.phase === 'Failed';
  if (!edit) return;
  $('progress').dataset.phase = edit.phase;
  $('preview').hidden = !preview || !active;
  if (preview && active && $('preview').getAttribute('src') !== preview) $('preview').src = preview;
  // Denoising is most of the time; what is before and after it gets a twentieth each.
  const share = edit.phase === 'Done' || edit.stage === 'Decode' ? 1 : edit.stage === 'Denoise' ? 0.05 + 0.9 * (edit.step / edit.steps) : 0.02;
  $('progress').querySelector('i').style.width = `${edit.phase === 'Queued' || edit.phase === 'Cancelled' ? 0 : share * 100}%`;
  const running = edit.stage === 'Denoise' ? `Denoising, step ${edit.step} of ${edit.steps}` : stages[edit.stage] ?? 'Starting';
  $('progress').querySelector('p').textContent = {
    Queued: edit.waiting > 0 ? `Waiting for ${edit.waiting} before this one` : 'Waiting',
    Running: `${running} · ${edit.seconds.toFixed(1)} s`,
    Done: `Done in ${edit.seconds.toFixed(1)} s`,
    Cancelled: 'Cancelled',
  }[edit.phase] ?? '';
  if (edit.phase === 'Failed') showProblem(`${edit.problem.title} ${edit.problem.detail ?? ''}`);
  document.title = active ? `${Math.round(share * 100)} % · FramePainter Studio` : 'FramePainter Studio';
}

export function showHistory(session, chosen, choose) {
  $('results').hidden = session.history.length === 0;
  // States come many times a second; pictures are asked for when there is a new one.
  const shown = JSON.stringify([session.id, chosen, session.history.map(r => r.number)]);
  if ($('history').dataset.shown === shown) return;
  $('history').dataset.shown = shown;
  const small = Math.min(session.width, session.height) < 200;
  $('history').replaceChildren(...session.history.toReversed().map(result => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const image = new Image();
    image.src = resultPath(session.id, result.number);
    image.alt = `Result ${result.number}`;
    image.classList.toggle('pixelated', small);
    button.append(image, `seed ${result.seed}`);
    button.title = [`${result.steps} steps, seed ${result.seed}, control scale ${result.controlScale.toFixed(2)}, ${result.seconds.toFixed(1)} s`, ...result.warnings].join('\n');
    button.setAttribute('aria-pressed', result.number === chosen);
    button.onclick = () => choose(result.number);
    item.append(button);
    return item;
  }));
  if (chosen !== null) {
    $('download').href = resultPath(session.id, chosen);
    $('download').download = `framepainter-${chosen}.png`;
  }
}
