import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LabRun } from '../runs/run-types';
import { LabGround, PLAN } from '../runs/test-support/lab-ground';

let ground: LabGround;
beforeAll(async () => {
  ground = await LabGround.make();
});
afterAll(() => ground.close());

const { user: _user, ...BODY } = PLAN;
const bodyOf = (script: string, more: object = {}): object => ({
  ...BODY,
  folder: ground.folder({ 'train.sh': script }),
  ...more,
});

async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

describe('launching by HTTP', () => {
  it.each([
    ['GET', 'runs'],
    ['POST', 'runs'],
    ['GET', 'runs/ann%2Fnone%2F1/log'],
    ['POST', 'runs/ann%2Fnone%2F1/stop'],
    ['DELETE', 'runs/ann%2Fnone%2F1'],
    ['GET', 'queue'],
  ])('%s %s takes the token', async (method, path) => {
    const body = method === 'POST' ? bodyOf('exit 0') : undefined;
    for (const token of [null, 'another-token-altogether']) {
      const answer = await ground.ask(method, path, body, token);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error_code: 'UNAUTHENTICATED' });
    }
    expect(ground.lab.runs.list({ most: 10 })).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ['a relative folder', { folder: 'code' }, /folder: expected an absolute path/],
    ['an unknown field', { colour: 'red' }, /colour/],
    ['no arguments', { args: undefined }, /args/],
    ['a limit below zero', { limitMs: -1 }, /limitMs/],
  ])('refuses %s', async (_what, more, message) => {
    const answer = await ground.ask('POST', 'runs', bodyOf('exit 0', more));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses a user that can not be a part of a name', async () => {
    const answer = await ground.ask('POST', 'runs', bodyOf('exit 0'), undefined, 'a/b');
    expect(answer.status).toBe(400);
  });

  it('streams a log from anywhere, and follows it to the end of the run', async () => {
    const script = 'echo one; while [ ! -e go ]; do sleep 0.05; done; echo two';
    const run = (await (await ground.ask('POST', 'runs', bodyOf(script))).json()) as LabRun;
    const whole = textOf(await ground.followLog(run.name));
    const rest = textOf(await ground.followLog(run.name, 'follow=true&offset=0'));
    await ground.untilLog(run, 'one\n');
    expect(await textOf(await ground.followLog(run.name, ''))).toBe('one\n');
    const later = textOf(await ground.followLog(run.runId, 'follow=true&offset=2'));
    writeFileSync(join(ground.workFolder(run), 'go'), '');
    expect(await Promise.all([whole, rest, later])).toEqual(['one\ntwo\n', 'one\ntwo\n', 'e\ntwo\n']);
    expect(await textOf(await ground.followLog(run.name, 'offset=4'))).toBe('two\n');
    const beyond = await ground.ask('GET', `runs/${run.runId}/log?offset=9`);
    expect(beyond.status).toBe(400);
    expect(await beyond.json()).toMatchObject({
      message: expect.stringContaining('has 8 bytes; offset 9') as string,
    });
    const shown = (await (await ground.ask('GET', `runs/${encodeURIComponent(run.name)}`)).json()) as LabRun;
    expect(shown).toMatchObject({ runId: run.runId, state: 'succeeded' });
  });

  it('does not know a run that is not there', async () => {
    for (const path of ['runs/ann%2Fnone%2F99', 'runs/ann%2Fnone%2F99/log', 'runs/..%2F..%2Fetc']) {
      expect((await ground.ask('GET', path)).status).toBe(404);
    }
  });
});
