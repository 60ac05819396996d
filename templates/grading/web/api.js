// What the page says to its own server. The token of the session goes with everything that is sent.
let csrf = "";

export const remember = (token) => { csrf = token; };

async function answer(request) {
  const got = await request.catch(() => null);
  if (!got) return { ok: false, status: 0, error: "the server does not answer" };
  const body = await got.json().catch(() => ({}));
  return { ok: got.ok, status: got.status, error: body.error || `the server answered ${got.status}`, ...body };
}

export const get = (path) => answer(fetch(`/grade/api/${path}`));

export const post = (path, body, keepalive = false) =>
  answer(fetch(`/grade/${path}`, {
    method: "POST",
    keepalive,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  }));
