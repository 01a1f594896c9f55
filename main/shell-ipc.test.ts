import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { SHELL_REQUESTS, SluiceError } from '../core/contract';
import { nearly, rubbish } from '../core/contract/test-support/rubbish';
import { answerShellRequest } from './shell-ipc';
import type { Sender, ShellHandlers } from './shell-ipc';

const OURS: Sender = { url: 'app://sluice/index.html', isMainFrame: true };

function handlers(): ShellHandlers {
  return {
    'shell.info': () => ({ version: '1', electron: '45', platform: 'linux' }),
    'engine.status': () => ({ state: 'ok' }),
    'engine.connect': vi.fn(() => ({})),
    'engine.restart': () => ({}),
    'dialog.openModel': () => ({ path: '/m.onnx' }),
    'dialog.openLanguageModel': () => ({ path: '/m.gguf' }),
    'dialog.openImage': () => ({}),
    'dialog.openFolder': () => ({ path: '/train' }),
    'dialog.saveText': () => ({ path: '/t.json' }),
    'report.savePdf': () => ({ path: '/r.pdf' }),
    'secrets.state': () => ({ available: true }),
    'secrets.keep': () => ({}),
    'secrets.forget': () => ({}),
    'files.takeOpened': () => ({ paths: [], refused: [] }),
    'updates.state': () => ({ state: 'idle' }),
    'updates.check': () => ({ state: 'checking' }),
    'updates.download': () => ({ state: 'idle' }),
    'updates.install': () => ({ state: 'idle' }),
  };
}

/** Of the requests that take any. */
const INPUTS: Readonly<Record<string, object>> = {
  'dialog.saveText': { suggestedName: 'trace.json', text: '{}', what: 'trace' },
  'report.savePdf': { suggestedName: 'run.pdf', html: '<p>' },
  'secrets.keep': { endpointId: 'e-1', token: 'a-token' },
  'secrets.forget': { endpointId: 'e-1' },
};

describe('shell requests', () => {
  it('answers each name of the contract', async () => {
    for (const name of SHELL_REQUESTS) {
      expect(await answerShellRequest(handlers(), OURS, name, INPUTS[name] ?? {})).toMatchObject({
        ok: true,
      });
    }
  });

  it.each<[string, Sender | undefined]>([
    ['no frame', undefined],
    ['a subframe', { ...OURS, isMainFrame: false }],
    ['another origin', { url: 'https://example.com/', isMainFrame: true }],
    ['an origin that only begins like ours', { url: 'app://sluice.example/index.html', isMainFrame: true }],
  ])('refuses %s', async (_name, sender) => {
    const all = handlers();
    expect(await answerShellRequest(all, sender, 'engine.connect', {})).toMatchObject({
      ok: false,
      error: { code: 'bad-input', message: expect.stringContaining('app://sluice') as string },
    });
    expect(all['engine.connect']).not.toHaveBeenCalled();
  });

  it.each([
    ['an unknown name', 'fs.readFile', {}, /unknown request "fs.readFile"; expected one of shell.info/],
    ['a name of the prototype', 'constructor', {}, /unknown request/],
    ['an input where none is due', 'engine.connect', { port: 1 }, /engine.connect: input/],
    ['no input', 'dialog.openModel', undefined, /dialog.openModel: input/],
    [
      'a path for a name',
      'dialog.saveText',
      { suggestedName: '../x', text: '', what: 'trace' },
      /suggestedName: must be a file name/,
    ],
    ['an empty name', 'dialog.saveText', { suggestedName: '', text: '', what: 'trace' }, /suggestedName/],
    ['a wrong type', 'dialog.saveText', { suggestedName: 'x', text: 5, what: 'trace' }, /text/],
    ['no token', 'secrets.keep', { endpointId: 'e', token: '' }, /token: must be printable/],
    ['a second header', 'secrets.keep', { endpointId: 'e', token: 'a\r\nb: c' }, /token: must be printable/],
    ['a token without end', 'secrets.keep', { endpointId: 'e', token: 'a'.repeat(5000) }, /token: .*4096/],
    [
      'a name of the prototype for an id',
      'secrets.forget',
      { endpointId: '__proto__' },
      /endpointId: must be/,
    ],
    ['no id', 'secrets.forget', { endpointId: '' }, /endpointId: must be/],
    [
      'all faults at once',
      'dialog.saveText',
      { suggestedName: '', text: 5, what: 'novel' },
      /suggestedName.*text.*what/,
    ],
  ])('refuses %s', async (_what, name, input, message) => {
    const reply = await answerShellRequest(handlers(), OURS, name, input);
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    if (!reply.ok) expect(reply.error.message).toMatch(message);
  });

  it('keeps code and details of what a handler throws', async () => {
    const failing: ShellHandlers = {
      ...handlers(),
      'dialog.saveText': () => {
        throw new SluiceError('io', 'disk full', { path: '/t.json' });
      },
    };
    const input = { suggestedName: 'x', text: '', what: 'trace' };
    expect(await answerShellRequest(failing, OURS, 'dialog.saveText', input)).toEqual({
      ok: false,
      error: { code: 'io', message: 'disk full', details: { path: '/t.json' } },
    });
  });

  it('answers whatever comes, of whomever, and runs nothing for it', async () => {
    const refusing = Object.fromEntries(
      SHELL_REQUESTS.map((name) => [
        name,
        () => {
          throw new SluiceError('unsupported', 'it ran');
        },
      ]),
    ) as unknown as ShellHandlers;
    const asked = fc.oneof(
      fc.tuple(fc.constantFrom<string>(...SHELL_REQUESTS, '__proto__', 'fs.readFile'), rubbish),
      ...Object.entries(INPUTS).map(([name, input]) => fc.tuple(fc.constant(name), nearly(input))),
    );
    await fc.assert(
      fc.asyncProperty(asked, fc.boolean(), async ([name, input], isOurs) => {
        const sender = isOurs ? OURS : { url: 'https://example.com/', isMainFrame: true };
        const reply = await answerShellRequest(refusing, sender, name, input);
        if (reply.ok) throw new Error('nothing here succeeds');
        expect(['bad-input', ...(isOurs ? ['unsupported'] : [])]).toContain(reply.error.code);
        expect(reply.error.message.length).toBeLessThan(8000);
      }),
      { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 5000 : 1000 },
    );
  });
});
