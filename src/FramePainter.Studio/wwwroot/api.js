// Requests to the server. The token travels in a cookie, which scripts never see.

/** A refusal, as problem details tell it. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail ? `${body.title} ${body.detail}` : body.title);
    this.type = body.type;
  }
}

async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem({ title: 'The Studio does not answer.', detail: 'Is the command still running?' });
  }
  if (answer.ok) return answer;
  throw new Problem(await answer.json().catch(() => ({ title: `The server answered ${answer.status}.` })));
}

const json = async (path, options) => (await request(path, options)).json();
const session = id => `/api/sessions/${id}`;

export const about = () => json('/api/about');
export const samplePath = (name, part) => `/api/samples/${name}/${part}`;
export const fetchBlob = async path => (await request(path)).blob();
export const open = picture => json('/api/sessions', { method: 'POST', headers: { 'Content-Type': picture.type }, body: picture });
export const find = id => json(session(id));
export const picturePath = id => `${session(id)}/picture`;
export const resultPath = (id, number) => `${session(id)}/edits/${number}/picture`;
export const previewPath = (id, edit) => `${session(id)}/edit/preview?edit=${edit.number}&number=${edit.previews}`;
export const cancel = id => request(`${session(id)}/edit`, { method: 'DELETE' });
export const match = (id, number, x, y) => json(`${session(id)}/edits/${number}/match?x=${x}&y=${y}`);
export const edit = (id, order) =>
  json(`${session(id)}/edits`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(order) });

/** Watches a session; the browser connects again by itself. onContact is told whether the server is there. Returns what ends it. */
export function watch(id, onState, onContact) {
  const source = new EventSource(`${session(id)}/events`);
  source.addEventListener('state', event => onState(JSON.parse(event.data)));
  source.onopen = () => onContact(true);
  source.onerror = () => onContact(false);
  return () => source.close();
}
