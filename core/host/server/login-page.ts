/** What the login page says above its field. */
export const LOGIN_NOTES = {
  wrong: 'That token does not open this host.',
  wait: (retryAfterSec: number): string =>
    `Too many wrong tokens came from your address. Try again in ${retryAfterSec} s.`,
  none: 'No token was made for this host yet. Run “sluice host token” on it.',
} as const;

/** Only what this page needs: its style, the icon, and a form that goes to its own host. No script at all. */
export const LOGIN_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Files that a page without a session may load. */
export const OPEN_FILES: ReadonlySet<string> = new Set(['/icon.svg']);

/** @param note plain text of ours. */
export function loginPage(note: string | undefined): string {
  const said =
    note === undefined ? '' : `\n        <p class="note" id="note" role="alert">${escaped(note)}</p>`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Log in · Sluice</title>
    <link rel="icon" href="/icon.svg" />
    <link rel="stylesheet" href="/login.css" />
  </head>
  <body>
    <main>
      <h1>Sluice</h1>
      <form method="post" action="/login">${said}
        <label for="token">Token of this host</label>
        <input id="token" name="token" type="password" autocomplete="current-password" autocapitalize="off"
          spellcheck="false" required autofocus${note === undefined ? '' : ' aria-describedby="note"'} />
        <button type="submit">Log in</button>
        <p class="hint">“sluice host token” on the box makes it; it is shown once.</p>
      </form>
    </main>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The console's colours (renderer/styles/tokens.css), as far as one form needs them. */
export const LOGIN_STYLE = `:root {
  color-scheme: light dark;
  --bg: #f3f4f5; --surface: #ffffff; --text: #1a1c1f; --muted: #565c66; --border: #868b94;
  --accent: #5a3fc0; --accent-text: #ffffff; --failure: #b3261e; --failure-soft: #fbeae9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #141517; --surface: #1a1c1f; --text: #e4e6e9; --muted: #9ca1aa; --border: #6c727b;
    --accent: #a794ff; --accent-text: #15121f; --failure: #ff8a80; --failure-soft: #36201f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg); color: var(--text);
  font: 13px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
}
main { width: min(360px, calc(100vw - 32px)); }
h1 { margin: 0 0 12px; font-size: 20px; font-weight: 600; }
form { display: grid; gap: 8px; padding: 24px; background: var(--surface); border: 1px solid var(--border); border-radius: 4px; }
label { font-weight: 600; }
input, button { height: 32px; padding: 0 8px; font: inherit; border-radius: 4px; border: 1px solid var(--border); }
input { background: var(--bg); color: var(--text); }
button { margin-top: 4px; background: var(--accent); color: var(--accent-text); border-color: var(--accent); font-weight: 600; cursor: pointer; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
p { margin: 0; }
.hint { color: var(--muted); }
.note { padding: 8px; color: var(--failure); background: var(--failure-soft); border-radius: 4px; }
`;
