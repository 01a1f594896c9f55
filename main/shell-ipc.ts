import { z } from 'zod';

import { checkInput, SAVED_TEXTS, SHELL_REQUESTS, SluiceError } from '../core/contract';
import type { Reply, ShellRequestName, ShellRequests } from '../core/contract';
import { APP_ORIGIN } from './app-protocol';
import { ENDPOINT_ID_PATTERN } from './secret-keeper';

/** Traces of 100,000 spans take about 10 MB of JSON; this refuses runaway input only. */
const MAX_TEXT_CHARS = 512 * 1024 * 1024;

/** Reports take well below one. */
const MAX_REPORT_CHARS = 64 * 1024 * 1024;

const nothing = z.strictObject({});
const suggestedName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^/\\\0]+$/, 'must be a file name without folders');
const endpointId = z.string().max(200).regex(ENDPOINT_ID_PATTERN, 'must be the id of an endpoint');

/** What each request may carry; anything else is refused before a handler sees it. */
const INPUT_SCHEMAS: { readonly [N in ShellRequestName]: z.ZodType<ShellRequests[N]['input']> } = {
  'shell.info': nothing,
  'engine.status': nothing,
  'engine.connect': nothing,
  'engine.restart': nothing,
  'dialog.openModel': nothing,
  'dialog.openLanguageModel': nothing,
  'dialog.openImage': nothing,
  'dialog.openFolder': nothing,
  'dialog.saveText': z.strictObject({
    suggestedName,
    text: z.string().max(MAX_TEXT_CHARS),
    what: z.enum(SAVED_TEXTS),
  }),
  'report.savePdf': z.strictObject({ suggestedName, html: z.string().max(MAX_REPORT_CHARS) }),
  'secrets.state': nothing,
  'secrets.keep': z.strictObject({
    endpointId,
    // Becomes an HTTP header.
    token: z
      .string()
      .max(4096)
      .regex(/^[\x21-\x7e]+$/, 'must be printable characters without spaces'),
  }),
  'secrets.forget': z.strictObject({ endpointId }),
  'files.takeOpened': nothing,
  'updates.state': nothing,
  'updates.check': nothing,
  'updates.download': nothing,
  'updates.install': nothing,
};

export type ShellHandlers = {
  readonly [N in ShellRequestName]: (
    input: ShellRequests[N]['input'],
  ) => Promise<ShellRequests[N]['output']> | ShellRequests[N]['output'];
};

/** Who asks: the frame's URL and whether it is the top frame of our window. */
export interface Sender {
  readonly url: string;
  readonly isMainFrame: boolean;
}

function checkSender(sender: Sender | undefined): void {
  if (sender !== undefined && sender.isMainFrame && sender.url.startsWith(`${APP_ORIGIN}/`)) return;
  throw new SluiceError(
    'bad-input',
    `refused: expected a request of the console's own window (${APP_ORIGIN}), found ${sender?.url ?? 'no frame'}`,
  );
}

function checkName(name: string): ShellRequestName {
  const known = SHELL_REQUESTS.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new SluiceError(
      'bad-input',
      `unknown request "${name}"; expected one of ${SHELL_REQUESTS.join(', ')}`,
    );
  }
  return known;
}

/**
 * Checks sender, name and input, runs the handler, and makes a value of whatever happens: Electron would keep only
 * the message of a thrown error. Never throws.
 */
export async function answerShellRequest(
  handlers: ShellHandlers,
  sender: Sender | undefined,
  name: string,
  input: unknown,
): Promise<Reply<unknown>> {
  try {
    checkSender(sender);
    const known = checkName(name);
    return { ok: true, value: await dispatch(handlers, known, input) };
  } catch (thrown) {
    return { ok: false, error: SluiceError.from(thrown).toWire() };
  }
}

async function dispatch<N extends ShellRequestName>(
  handlers: ShellHandlers,
  name: N,
  input: unknown,
): Promise<ShellRequests[N]['output']> {
  return handlers[name](checkInput(name, INPUT_SCHEMAS[name], input));
}
