import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { comparison, make, naiveOrder, newStore, order, run } from '../test-support/naive-search';

describe('a search for runs', () => {
  it('finds what a naive reading of its filter finds, in order, page by page', () => {
    fc.assert(
      fc.property(
        fc.array(run, { maxLength: 12 }),
        fc.array(comparison, { maxLength: 3 }),
        fc.uniqueArray(order, { maxLength: 2, selector: ({ source }) => source.split(' ')[0] }),
        fc.integer({ min: 1, max: 5 }),
        (runs, comparisons, orders, maxResults) => {
          const store = newStore();
          for (const one of runs) make(store, one);
          const all = store.runs.search({ experimentIds: ['0'] }).items;
          expect(all).toHaveLength(runs.length);
          const filter = comparisons.map(({ source }) => source).join(' AND ');
          const expected = naiveOrder(
            all.filter((one) => comparisons.every(({ holds }) => holds(one))),
            orders,
          );
          const orderBy = orders.map(({ source }) => source);
          const found: string[] = [];
          let pageToken: string | undefined;
          do {
            const page = store.runs.search({ experimentIds: ['0'], filter, orderBy, maxResults, pageToken });
            found.push(...page.items.map(({ info }) => info.runId));
            pageToken = page.nextPageToken;
          } while (pageToken !== undefined);
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes any text as a filter or refuses it, and harms nothing', () => {
    const store = newStore();
    make(store, {
      startMs: 1,
      endMs: 1,
      status: 'FAILED',
      name: 'x',
      metrics: { m: 1 },
      params: {},
      tags: {},
    });
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'metrics.m > 0',
        ' AND ',
        "'",
        '"',
        '`',
        '--',
        ';',
        ' OR 1=1',
        ')',
        'params.',
        'tags.`a` = ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        try {
          store.runs.search({ experimentIds: ['0'], filter: pieces.join('') });
        } catch (error) {
          expect((error as Error).message).toMatch(/^filter, character \d+: expected .* found /s);
        }
        try {
          store.runs.search({ experimentIds: ['0'], orderBy: [pieces.join('')] });
        } catch (error) {
          expect((error as Error).message).toMatch(/^order_by/);
        }
      }),
    );
    expect(store.runs.search({ experimentIds: ['0'] }).items).toHaveLength(1);
  });

  it('goes on where a page ended, though runs come and go meanwhile', () => {
    const store = newStore();
    const blank = { endMs: undefined, status: 'RUNNING', metrics: {}, params: {}, tags: {} } as const;
    for (let startMs = 1; startMs <= 6; startMs++) make(store, { ...blank, startMs, name: `run ${startMs}` });
    const query = { experimentIds: ['0'], maxResults: 2 };
    const first = store.runs.search(query);
    make(store, { ...blank, startMs: 7, name: 'new' });
    store.runs.delete(first.items[0]!.info.runId);
    const second = store.runs.search({ ...query, pageToken: first.nextPageToken });
    expect([first, second].map(({ items }) => items.map(({ info }) => info.name))).toEqual([
      ['run 6', 'run 5'],
      ['run 4', 'run 3'],
    ]);
  });

  it('looks at deleted runs where the view says so', () => {
    const store = newStore();
    const { runId } = store.runs.create({ experimentId: '0', name: 'gone' }).info;
    store.runs.create({ experimentId: '0', name: 'here' });
    store.runs.delete(runId);
    const names = (['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'] as const).map((viewType) =>
      store.runs
        .search({ experimentIds: ['0'], viewType, orderBy: ['run_name'] })
        .items.map(({ info }) => info.name),
    );
    expect(names).toEqual([['here'], ['gone'], ['gone', 'here']]);
  });

  it('finds runs by their datasets', () => {
    const store = newStore();
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    store.runs.create({ experimentId: '0' });
    const dataset = { name: 'cifar', digest: 'd1', sourceType: 'local', source: '{}' };
    store.logInputs(runId, [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'train' }] }]);
    const idsFor = (filter: string): readonly string[] =>
      store.runs.search({ experimentIds: ['0'], filter }).items.map(({ info }) => info.runId);
    expect(idsFor("dataset.name = 'cifar' AND datasets.context IN ('train', 'test')")).toEqual([runId]);
    expect(idsFor("dataset.digest LIKE 'x%'")).toEqual([]);
  });
});

describe('a search for experiments', () => {
  it('filters, orders and pages', () => {
    const store = newStore();
    for (const name of ['b-one', 'a-one', 'a-two'])
      store.experiments.create(name, { tags: [{ key: 't', value: name }] });
    const namesFor = (query: Parameters<typeof store.experiments.search>[0]): readonly string[] =>
      store.experiments.search(query).items.map(({ name }) => name);
    expect(namesFor({ filter: "name ILIKE 'A-%'", orderBy: ['name DESC'] })).toEqual(['a-two', 'a-one']);
    expect(namesFor({ filter: "tags.t = 'b-one' AND attribute.creation_time > 0" })).toEqual(['b-one']);
    expect(namesFor({ filter: "experiment_id IN ('0', '3')" })).toEqual(['Default', 'a-two']);
    expect(namesFor({ filter: 'tag.t IS NULL' })).toEqual(['Default']);
    const { nextPageToken } = store.experiments.search({ maxResults: 3, orderBy: ['experiment_id'] });
    expect(namesFor({ maxResults: 3, orderBy: ['experiment_id'], pageToken: nextPageToken })).toEqual([
      'a-two',
    ]);
  });
});

describe('a bad search', () => {
  it.each([
    ['metrics.a > ', 'filter, character 13: expected a number to compare metrics.a with, found the end.'],
    ["metrics.a > '1'", "filter, character 13: expected a number to compare metrics.a with, found `'1'`."],
    [
      "metrics.a LIKE '1'",
      "filter, character 11: expected one of =, !=, <, <=, >, >= after metrics.a, found `LIKE '1'`.",
    ],
    ['params.a = 1', "filter, character 12: expected a text in quotes, such as 'this', found `1`."],
    [
      'params.`a b` > 1',
      'filter, character 14: expected one of =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL after params.`a b`, found `> 1`.',
    ],
    [
      "params.a = 'x' OR params.b = 'y'",
      "filter, character 16: expected AND or the end (filters know no OR and no NOT before a name), found `OR params.b = 'y'`.",
    ],
    [
      "status = 'x' AND",
      'filter, character 17: expected the name of a field, such as metrics.name or run_id, found the end.',
    ],
    [
      "colour = 'red'",
      "filter, character 1: expected an attribute of a run (run_id, run_name, status, user_id, artifact_uri, start_time, end_time, run name, Run name, Run Name, created, Created), found `colour = 'red'`.",
    ],
    [
      "thing.a = 'x'",
      "filter, character 1: expected one of metric, metrics, param, params, parameter, parameters, tag, tags, attribute, attributes, attr, run, dataset, datasets before the dot, found `thing.a = 'x'`.",
    ],
    [
      "tags. = 'x'",
      'filter, character 7: expected a key after "tags."; one with other characters stands in backticks, found `= \'x\'`.',
    ],
    [
      "dataset.size = 'x'",
      "filter, character 1: expected a field of a dataset (name, digest, context), found `dataset.size = 'x'`.",
    ],
    ["tags.a = 'x", "filter, character 10: expected a name, a value or a comparison, found `'x`."],
    [
      'start_time IS NULL',
      'filter, character 12: expected one of =, !=, <, <=, >, >= after attributes.start_time, found `IS NULL`.',
    ],
    ["status IN 'x'", 'filter, character 11: expected "(", found `\'x\'`.'],
    ["status IN ('x' 'y')", 'filter, character 16: expected ")", found `\'y\')`.'],
    [
      'tags.constructor.x > 1',
      'filter, character 20: expected one of =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL after tags.constructor.x, found `> 1`.',
    ],
    ["constructor.x = 'a'", /character 1: expected one of metric, /],
    ["toString = 'a'", /character 1: expected an attribute of a run/],
    [`status = 'x' ; ${'-'.repeat(100)}`, /character 14: expected a name, .* found `; -+\.\.\.`/],
  ])('refuses %s', (filter, message) => {
    expect(() => newStore().runs.search({ experimentIds: ['0'], filter })).toThrow(message);
  });

  it.each([
    [{ orderBy: ['metrics.a UP'] }, 'order_by, character 11: expected ASC, DESC or the end, found `UP`.'],
    [
      { orderBy: ['metrics.a', 'metric.`a` DESC'] },
      'order_by: expected each field once, found metrics.a twice.',
    ],
    [
      { orderBy: ['dataset.name'] },
      'order_by: expected an attribute, a metric, a param or a tag, found `dataset.name`.',
    ],
    [{ maxResults: 0 }, 'max_results: expected 1 to 50000, found 0.'],
    [{ pageToken: 'nonsense' }, 'page_token: expected one that a search gave out, found "nonsense".'],
    [
      { pageToken: Buffer.from('["other",[1]]').toString('base64url') },
      'page_token: expected one of this search, found one of another filter, order or experiments.',
    ],
  ])('refuses %j', (query, message) => {
    expect(() => newStore().runs.search({ experimentIds: ['0'], ...query })).toThrow(message);
  });
});
