import { afterEach, describe, expect, it } from 'vitest';

import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { competitionRoutes } from './competition-routes';
import { startLabServer } from './lab-server';
import { RUN, definition, makeLab } from '../competitions/test-support/fake-jobs';

describe('the competition routes', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.close());

  it('list, create, submit, and show the board to all and the history to its user', async () => {
    const { competitions } = makeLab();
    const userOf = ({ headers }: { headers: Record<string, unknown> }): string => String(headers['x-user']);
    const routes = [competitionRoutes(competitions, userOf, () => 'ann/digits/1')];
    listener = await startLabServer({
      routes,
      token: undefined,
      host: '127.0.0.1',
      port: 0,
      limits: DEFAULT_LIMITS,
    });
    const root = `http://127.0.0.1:${listener.port}/api/sluice/competitions`;
    const call = async (path: string, user: string, body?: unknown): Promise<[number, unknown]> => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const init = body === undefined ? {} : { method: 'POST', body: text };
      const response = await fetch(root + path, { headers: { 'x-user': user }, ...init });
      return [response.status, await response.json()];
    };
    expect(await call('', 'host', definition)).toMatchObject([201, { name: 'digits', owner: 'host' }]);
    expect(await call('', 'host', definition)).toMatchObject([
      400,
      { error_code: 'RESOURCE_ALREADY_EXISTS' },
    ]);
    expect(await call('', 'host', '{')).toMatchObject([400, { error_code: 'INVALID_PARAMETER_VALUE' }]);
    expect(await call('/digits/submissions', 'ann', { runId: RUN, checkpoint: '5' })).toMatchObject([
      202,
      { id: 1, state: 'queued', user: 'ann' },
    ]);
    expect(await call('/digits/submissions', 'ann', { runId: '../x', dry: 1 })).toMatchObject([
      400,
      { message: expect.stringMatching(/runId: expected the 32 .*dry/) as string },
    ]);
    await competitions.settled();
    expect(await call('/digits/board', 'ben')).toMatchObject([
      200,
      { metric: { name: 'accuracy', direction: 'max' }, rows: [{ rank: 1, user: 'ann', score: 0.2 }] },
    ]);
    expect(JSON.stringify(await call('/digits/board', 'ann'))).not.toContain(RUN);
    expect(JSON.stringify(await call('/digits/board?own=true', 'ben'))).not.toContain(RUN);
    expect(await call('/digits/board?own=true', 'ann')).toMatchObject([200, { rows: [{ runId: RUN }] }]);
    expect(await call('/digits/board?own=1', 'ann')).toMatchObject([
      400,
      { message: expect.stringMatching(/own: /) as string },
    ]);
    expect(await call('/digits/submissions', 'ann')).toMatchObject([
      200,
      { submissions: [{ id: 1, score: 0.2, runName: 'ann/digits/1' }] },
    ]);
    expect(await call('/digits/submissions', 'ben')).toEqual([200, { submissions: [] }]);
    const [, one] = await call('/digits', 'ann');
    expect(one).toMatchObject({ evaluator: 'accuracy', leftToday: 2 });
    expect(await call('', 'ben')).toMatchObject([200, { competitions: [{ name: 'digits' }] }]);
    expect(await call('?left=true', 'ann')).toMatchObject([200, { competitions: [{ leftToday: 2 }] }]);
    expect(JSON.stringify(await call('', 'ben'))).not.toMatch(/hidden|leftToday/);
    expect(await call('/nothing/board', 'ben')).toMatchObject([
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST' },
    ]);
    for (let more = 0; more < 2; more += 1)
      await call('/digits/submissions', 'ann', { runId: RUN, checkpoint: '1' });
    expect(await call('/digits/submissions', 'ann', { runId: RUN })).toMatchObject([
      400,
      { error_code: 'REQUEST_LIMIT_EXCEEDED' },
    ]);
    await competitions.settled();
  });
});
