import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { LabDatabase } from '../store/lab-database';
import { ModelRegistry } from './model-registry';
import type { RegistryEvent } from './registry-events';
import { REGISTRY_SCHEMA } from './registry-schema';

const SOURCE = 'mlflow-artifacts:/0/run/artifacts/model';

let database: LabDatabase;
let registry: ModelRegistry;
let events: RegistryEvent[];
let faults: unknown[];
let nowMs: number;
beforeEach(() => {
  database = LabDatabase.open(':memory:', [REGISTRY_SCHEMA]);
  nowMs = 1000.75;
  const clock: Pick<Clock, 'nowMs'> = { nowMs: () => (nowMs += 1) };
  faults = [];
  registry = new ModelRegistry({
    database,
    clock: clock as Clock,
    lookup: {
      artifactUriOf: (runId) => {
        if (runId === 'run') return 'mlflow-artifacts:/0/run/artifacts';
        throw new SluiceError('not-found', `Run "${runId}" not found.`);
      },
      loggedModelUri: (id) => (id === 'm-1' ? 'mlflow-artifacts:/0/models/m-1/artifacts' : undefined),
    },
    onListenerFault: (cause) => faults.push(cause),
  });
  events = [];
  registry.listen((event) => events.push(event));
});
afterEach(() => database.close());

function makeVersions(model: string, count: number): void {
  registry.models.create(model);
  for (let i = 0; i < count; i += 1)
    registry.versions.create({ model, source: SOURCE, runId: `run-${i + 1}` });
  events.length = 0;
}

const searchModels = (filter: string, orderBy: string[] = []) =>
  registry.models.search({ filter, orderBy, maxResults: 1000, pageToken: '' }).items.map(({ name }) => name);
const searchVersions = (filter: string, orderBy: string[] = []) =>
  registry.versions
    .search({ filter, orderBy, maxResults: 1000, pageToken: '' })
    .items.map(({ model, version }) => `${model} ${version}`);

describe('ModelRegistry', () => {
  it('numbers versions, and never gives a number twice', () => {
    makeVersions('net', 2);
    registry.versions.remove('net', 2);
    expect(registry.versions.create({ model: 'net', source: SOURCE }).version).toBe(3);
    expect(registry.models.get('net').latestVersions.map(({ version }) => version)).toEqual([3]);
  });

  it('keeps whole milliseconds, and moves them on with each change', () => {
    const { createdMs, updatedMs } = registry.models.create('net');
    expect([createdMs, updatedMs]).toEqual([1001, 1001]);
    registry.versions.create({ model: 'net', source: SOURCE });
    expect(registry.models.get('net')).toMatchObject({ createdMs: 1001, updatedMs: 1002 });
    expect(registry.versions.moveTo('net', 1, 'staging').updatedMs).toBe(1003);
  });

  it('tells of stages, also of those that are archived on the way', () => {
    makeVersions('net', 3);
    registry.versions.moveTo('net', 1, 'Production');
    registry.versions.moveTo('net', 2, 'production');
    registry.versions.moveTo('net', 3, 'PRODUCTION', true);
    registry.versions.moveTo('net', 3, 'Production', true);
    const moved = (version: number, from: string, to: string) => ({
      kind: 'stage-changed',
      model: 'net',
      version,
      from,
      to,
    });
    expect(events).toEqual([
      moved(1, 'None', 'Production'),
      moved(2, 'None', 'Production'),
      moved(1, 'Production', 'Archived'),
      moved(2, 'Production', 'Archived'),
      moved(3, 'None', 'Production'),
    ]);
    expect(registry.versions.latest('net').map(({ version, stage }) => [version, stage])).toEqual([
      [2, 'Archived'],
      [3, 'Production'],
    ]);
    expect(registry.versions.latest('net', ['archived']).map(({ version }) => version)).toEqual([2]);
  });

  it('tells of aliases, and whom they were taken from', () => {
    makeVersions('net', 2);
    registry.versions.setAlias('net', 'champion', 1);
    registry.versions.setAlias('net', 'champion', 1);
    registry.versions.setAlias('net', 'champion', 2);
    registry.versions.removeAlias('net', 'nobody');
    registry.versions.removeAlias('net', 'champion');
    registry.versions.setAlias('net', 'again', 2);
    registry.versions.remove('net', 2);
    registry.models.rename('net', 'other');
    registry.models.rename('other', 'other');
    registry.models.remove('other');
    const alias = { model: 'net', alias: 'champion' };
    expect(events).toEqual([
      { kind: 'alias-set', ...alias, version: 1 },
      { kind: 'alias-set', ...alias, version: 2, previousVersion: 1 },
      { kind: 'alias-removed', ...alias, version: 2 },
      { kind: 'alias-set', model: 'net', alias: 'again', version: 2 },
      { kind: 'alias-removed', model: 'net', alias: 'again', version: 2 },
      { kind: 'version-removed', model: 'net', version: 2 },
      { kind: 'model-renamed', model: 'net', newName: 'other' },
      { kind: 'model-removed', model: 'other' },
    ]);
    for (const table of ['models', 'versions', 'aliases', 'version_tags', 'model_tags']) {
      expect(database.prepare(`SELECT * FROM registry_${table}`).all()).toEqual([]);
    }
  });

  it('changes what it was asked to, whatever listeners do', () => {
    const end = registry.listen(() => {
      throw new Error('listener');
    });
    registry.models.create('net');
    registry.versions.create({ model: 'net', source: SOURCE });
    expect(registry.versions.get('net', 1).stage).toBe('None');
    expect(faults).toEqual([new Error('listener')]);
    end();
    registry.models.remove('net');
    expect(faults).toHaveLength(1);
    expect(events).toHaveLength(2);
  });

  it('keeps versions, aliases and tags with a new name', () => {
    makeVersions('net', 1);
    registry.versions.setAlias('net', 'champion', 1);
    registry.models.setTag('net', { key: 'task', value: 'vision' });
    registry.versions.setTag('net', 1, { key: 'precision', value: 'fp16' });
    registry.models.rename('net', 'network');
    expect(registry.versions.byAlias('network', 'champion')).toMatchObject({
      model: 'network',
      tags: [{ key: 'precision', value: 'fp16' }],
      aliases: ['champion'],
    });
    expect(registry.models.get('network').tags).toEqual([{ key: 'task', value: 'vision' }]);
    expect(() => registry.models.get('net')).toThrow(/none of that name/);
  });
});

describe('sources of versions', () => {
  it.each([
    [SOURCE, SOURCE],
    ['runs:/run/model', 'mlflow-artifacts:/0/run/artifacts/model'],
    ['runs:/run', 'mlflow-artifacts:/0/run/artifacts'],
    ['models:/base/1', SOURCE],
    ['models:/base@champion', SOURCE],
    ['models:/m-1', 'mlflow-artifacts:/0/models/m-1/artifacts'],
    ['models:/m-2', 'models:/m-2'],
    ['s3://bucket/model', 's3://bucket/model'],
    ['mlflow-artifacts://other.example/0/run', 'mlflow-artifacts://other.example/0/run'],
  ])('finds %s at %s', (source, location) => {
    makeVersions('base', 1);
    registry.versions.setAlias('base', 'champion', 1);
    registry.models.create('net');
    expect(registry.versions.create({ model: 'net', source })).toMatchObject({ source, location });
  });

  it.each([
    ['/etc', 'bad-input', /not a path of some machine/],
    ['model', 'bad-input', /not a path/],
    ['file:///etc', 'bad-input', /not a path/],
    ['FILE:/etc', 'bad-input', /not a path/],
    ['C:\\models', 'bad-input', /not a path/],
    ['mlflow-artifacts:/0/../../etc', 'bad-input', /step "\.\."/],
    ['s3://bucket/%2e%2e/x', 'bad-input', /step "\.\."/],
    ['s3://bucket\\x', 'bad-input', /backslashes/],
    ['s3://bucket/%00', 'bad-input', /control characters/],
    ['s3://bucket/%zz', 'bad-input', /not percent-encoded/],
    ['mlflow-artifacts:/0//x', 'bad-input', /an empty name/],
    ['runs:/', 'bad-input', /expected "runs:/],
    ['runs:/nobody/model', 'not-found', /"nobody" not found/],
    ['models:/net/7', 'not-found', /none of that number/],
    ['models:/net@champion', 'bad-input', /no version of "net" has it/],
    ['models:/net/Production', 'bad-input', /expected "models:/],
    [`s3://${'x'.repeat(2000)}`, 'bad-input', /at most 2000 characters/],
  ])('refuses %s', (source, code, message) => {
    registry.models.create('net');
    expect(() => registry.versions.create({ model: 'net', source })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
    expect(registry.models.get('net').latestVersions).toEqual([]);
  });

  it('takes a placeholder for prompts alone', () => {
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    registry.models.create('ask', tags);
    expect(registry.versions.create({ model: 'ask', source: 'dummy-source', tags }).location).toBe(
      'dummy-source',
    );
    expect(() => registry.versions.create({ model: 'ask', source: '/etc/passwd', tags })).toThrow(/no files/);
  });
});

describe('searching', () => {
  beforeEach(() => {
    makeVersions('alpha', 2);
    makeVersions('Alpine', 1);
    makeVersions('be*ta', 3);
    registry.models.setTag('alpha', { key: 'team', value: 'Vision' });
    registry.models.setTag('be*ta', { key: 'team', value: 'speech' });
    registry.versions.setTag('be*ta', 2, { key: 'team', value: 'speech' });
    registry.models.create('ask', [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]);
  });

  it.each([
    ['', ['Alpine', 'alpha', 'be*ta']],
    ["name = 'alpha'", ['alpha']],
    ["name != 'alpha'", ['Alpine', 'be*ta']],
    ["name LIKE 'al%'", ['alpha']],
    ["name ILIKE 'AL%'", ['Alpine', 'alpha']],
    ["name LIKE '%*%'", ['be*ta']],
    ["name LIKE 'be_ta'", ['be*ta']],
    ["name LIKE '[a]%'", []],
    ["name IN ('alpha', 'be*ta', 'none')", ['alpha', 'be*ta']],
    ["name NOT IN ('alpha')", ['Alpine', 'be*ta']],
    ["tags.team = 'speech'", ['be*ta']],
    ["tags.team != 'speech'", ['alpha']],
    ["tags.team ILIKE 'vis%' AND name LIKE 'a%'", ['alpha']],
    ["name = ''' OR 1=1 --'", []],
    ["tags.`' OR 1=1 --` = 'x'", []],
    ["tags.`mlflow.prompt.is_prompt` = 'true'", ['ask']],
    ["tags.`mlflow.prompt.is_prompt` != 'true'", ['Alpine', 'alpha', 'be*ta']],
  ])('finds models with %s', (filter, names) => expect(searchModels(filter)).toEqual(names));

  it.each([
    ["name = 'be*ta'", ['be*ta 3', 'be*ta 1', 'be*ta 2'].sort().reverse()],
    ["name = 'be*ta' AND version_number < 3", ['be*ta 2', 'be*ta 1']],
    ["version_number = '2'", ['be*ta 2', 'alpha 2']],
    ["run_id IN ('run-2', 'run-3') AND name ILIKE 'B%'", ['be*ta 3', 'be*ta 2']],
    ["source_path LIKE '%/artifacts/model' AND name = 'Alpine'", ['Alpine 1']],
    ["tags.team = 'speech'", ['be*ta 2']],
  ])('finds versions with %s', (filter, found) => expect(searchVersions(filter)).toEqual(found));

  it('orders', () => {
    expect(searchModels('', ['name DESC'])).toEqual(['be*ta', 'alpha', 'Alpine']);
    expect(searchModels('', ['last_updated_timestamp desc'])).toEqual(['be*ta', 'Alpine', 'alpha']);
    expect(searchModels('', ['attribute.creation_timestamp ASC', 'name'])).toEqual([
      'alpha',
      'Alpine',
      'be*ta',
    ]);
    expect(searchVersions("name != 'Alpine'", ['version_number', '`name` DESC'])).toEqual([
      ...['be*ta 1', 'alpha 1', 'be*ta 2', 'alpha 2', 'be*ta 3'],
    ]);
  });

  it.each([
    [() => searchModels("run_id = 'x'"), /expected an attribute \(name\), found "run_id"/],
    [() => searchModels("name < 'x'"), /expected =, !=, LIKE, ILIKE, IN, NOT IN after name, found </],
    [() => searchModels('name = 3'), /expected a value in quotes for "name", found 3/],
    [() => searchModels("tags.team IN ('x')"), /after tags\.team, found IN/],
    [() => searchModels("id = 'x'"), /found "id"/],
    [() => searchModels("constructor = 'x'"), /found "constructor"/],
    [() => searchVersions("version_number = 'x'"), /expected a whole number for version_number/],
    [() => searchVersions("version_number LIKE '1'"), /after version_number, found LIKE/],
    [() => searchVersions("source_path IN ('x')"), /after source_path, found IN/],
    [() => searchVersions('', ['id']), /order_by: expected one of name, version_number/],
    [() => searchVersions('', ['name; DROP TABLE registry_models']), /order_by: expected one of/],
    [() => searchVersions('', ['name', 'name DESC']), /order_by: expected each attribute once/],
  ])('refuses %s', (search, message) => {
    expect(search).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringMatching(message) as string }),
    );
  });

  it('gives pages that hold everything once', () => {
    const found: string[] = [];
    let pageToken: string | undefined = '';
    while (pageToken !== undefined) {
      const page = registry.versions.search({ filter: '', orderBy: ['name'], maxResults: 2, pageToken });
      expect(page.items.length).toBeLessThanOrEqual(2);
      found.push(...page.items.map(({ model, version }) => `${model} ${version}`));
      pageToken = page.nextPageToken;
    }
    expect(found).toEqual(['Alpine 1', 'alpha 2', 'alpha 1', 'be*ta 3', 'be*ta 2', 'be*ta 1']);
  });

  it.each([
    'x',
    'e30=',
    Buffer.from('{"offset": -1}').toString('base64'),
    Buffer.from('7').toString('base64'),
  ])('refuses the page token %s', (pageToken) => {
    expect(() => registry.models.search({ filter: '', orderBy: [], maxResults: 2, pageToken })).toThrow(
      /page_token: expected one from an earlier answer/,
    );
  });
});
