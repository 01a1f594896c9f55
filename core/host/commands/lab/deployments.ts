import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { parseUrl } from '../../../base';
import { SluiceError } from '../../../contract';
import { PublishClient } from '../../../serving';
import type { PublishedDeployment } from '../../../serving';
import { DeploymentRecords, seenOf } from '../../lab/deployments/deployment-records';
import type { DeploymentRecord } from '../../lab/deployments/deployment-records';
import {
  deploymentIn,
  servedNameOf,
  tagVersions,
  withModelFile,
} from '../../lab/deployments/publish-version';
import { parseVersionRef, RegistryClient } from '../../lab/deployments/registry-client';
import type { LabApi } from '../../lab/connection/lab-api';
import { tokenOf } from '../../server/listen-options';
import type { CommandContext, Outcome } from '../context';
import { deploymentTable } from './deployment-text';
import { onLab } from './on-lab';
import { becomesVariant, refuseTakenVariant, variantOf } from './publish-variant';
import type { VariantOptions } from './publish-variant';

interface EndpointOptions {
  readonly endpoint?: string;
  readonly tokenFile?: string;
}

interface PublishOptions extends EndpointOptions, VariantOptions {
  readonly endpoint: string;
  readonly canary?: number;
  readonly as?: string;
}

/** An endpoint as the command line knows it. */
interface Place {
  readonly url: string;
  readonly tokenFile: string | undefined;
  readonly client: PublishClient;
}

/** `sluice lab publish` and what comes after it. */
export function addLabDeploymentCommands(lab: Command): void {
  withEndpoint(lab.command('publish'))
    .argument('<model>', 'of the registry: NAME, NAME@VERSION or NAME@ALIAS')
    .description('send a registered version to an endpoint ("sluice serve"), where it answers')
    .option('--canary <percent>', 'of the requests, beside the version that is there', percentOf)
    .option('--as <name>', 'what requests name (default: as the model)')
    .option(
      '--accuracy <percent>',
      "how often it is right: makes it a variant of this data folder's offload agent",
      percentOf,
    )
    .option('--accuracy-source <text>', 'where that figure is from: a board, a paper, a test of yours')
    .action((model: string, options: PublishOptions, command: Command) =>
      onLab(command, ({ api }, context) => publish(context, api, model, options)),
    );
  withEndpoint(lab.command('deployments'))
    .description('what is published, and what it has answered')
    .action((options: EndpointOptions, command: Command) =>
      onLab(command, (_lab, context) => list(context, options)),
    );
  withEndpoint(lab.command('promote'))
    .argument('<name>', 'what requests name')
    .description('make the canary the version that answers')
    .option('--canary <percent>', 'give it that much of the requests instead', percentOf)
    .action((name: string, { canary = 100, ...options }: PublishOptions, command: Command) =>
      onChange(command, name, options, (client) => client.setCanary(name, canary)),
    );
  withEndpoint(lab.command('rollback'))
    .argument('<name>')
    .description('take the canary away, or without one go back to the version before')
    .action((name: string, options: EndpointOptions, command: Command) =>
      onChange(command, name, options, (client) => client.rollBack(name)),
    );
  withEndpoint(lab.command('unpublish'))
    .argument('<name>')
    .description('take all its versions away')
    .action((name: string, options: EndpointOptions, command: Command) =>
      onChange(command, name, options, (client) => client.remove(name)),
    );
}

function withEndpoint(command: Command): Command {
  const isPublish = command.name() === 'publish';
  const flags = '--endpoint <url>';
  const known = isPublish
    ? command.requiredOption(flags, 'like http://192.168.1.20:8000')
    : command.option(flags, 'default: where this data folder has published it');
  return known.option('--token-file <file>', 'file with the token that publishing there takes');
}

async function publish(
  context: CommandContext,
  api: LabApi,
  reference: string,
  { canary: sharePct = 100, as, ...options }: PublishOptions,
): Promise<Outcome> {
  const { dataDir, signal, log } = context;
  const variant = variantOf(options);
  const { url, tokenFile, client } = await placeOf(options.endpoint, options.tokenFile);
  const ref = parseVersionRef(reference);
  const version = await new RegistryClient(api).versionOf(ref);
  const known = await client.list(signal);
  const before = known.find((one) => (as === undefined ? one.model === ref.model : one.servedAs === as));
  const servedAs = as ?? before?.servedAs ?? servedNameOf(ref.model);
  if (variant) await refuseTakenVariant(context, url, servedAs);
  const wanted = { model: ref.model, version, servedAs, sharePct };
  const send = (): Promise<readonly PublishedDeployment[]> =>
    withModelFile(
      api,
      wanted,
      dataDir,
      (file) => {
        log(`${ref.model} version ${version} goes to ${client.name} as ${servedAs} ...`);
        return client.publish({ ...wanted, ...file }, signal);
      },
      signal,
    );
  // What answers already may become a variant still, or be known better.
  const answers = variant && sharePct === 100 && before?.stable.version === version ? before : undefined;
  const after = answers ?? deploymentIn(await send(), servedAs, client.name);
  await remember(context, { url, tokenFile }, after, servedAs, variant && { [version]: variant });
  await tagVersions(api, endpointNameOf(url), before, after);
  const text = deploymentTable([{ url, deployment: after }]);
  return {
    json: { ...shown(url, after), ...(variant && { variant }) },
    text: variant ? `${text}\n${becomesVariant(ref.model, version, servedAs)}` : text,
  };
}

async function list(context: CommandContext, options: EndpointOptions): Promise<Outcome> {
  const records = new DeploymentRecords(context.dataDir, context.log).list();
  const urls =
    options.endpoint === undefined ? records.map(({ url }) => url) : [endpointUrl(options.endpoint)];
  const rows = await Promise.all([...new Set(urls)].map((url) => rowsAt(context, url, options, records)));
  return {
    json: {
      deployments: rows.flat().map(({ url, deployment, error }) => ({
        ...shown(url, deployment),
        ...(error && { error: error.toWire() }),
      })),
    },
    text: deploymentTable(rows.flat()),
  };
}

async function rowsAt(
  { signal }: CommandContext,
  url: string,
  options: EndpointOptions,
  records: readonly DeploymentRecord[],
): Promise<readonly { url: string; deployment: PublishedDeployment; error?: SluiceError }[]> {
  const mine = records.filter((record) => record.url === url);
  const tokenFile = options.tokenFile ?? mine.find((record) => record.tokenFile !== undefined)?.tokenFile;
  try {
    const { client } = await placeOf(url, tokenFile);
    return (await client.list(signal)).map((deployment) => ({ url, deployment }));
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (mine.length === 0) throw error;
    return mine.map((record) => ({ url, deployment: lastSeen(record), error }));
  }
}

function onChange(
  command: Command,
  name: string,
  options: EndpointOptions,
  change: (client: PublishClient) => Promise<readonly PublishedDeployment[]>,
): Promise<void> {
  return onLab(command, async ({ api }, context) => {
    const known = knownPlace(context, name, options);
    const { url, tokenFile, client } = await placeOf(known.url, known.tokenFile);
    const before = deploymentIn(await client.list(context.signal), name, client.name);
    const after = (await change(client)).find(({ servedAs }) => servedAs === name);
    await remember(context, { url, tokenFile }, after, name);
    await tagVersions(api, endpointNameOf(url), before, after);
    if (!after) return { json: {}, text: `${name} is no longer published at ${client.name}.` };
    return { json: shown(url, after), text: deploymentTable([{ url, deployment: after }]) };
  });
}

/** @throws SluiceError `not-found`, `bad-input` when several endpoints have it. */
function knownPlace(
  { dataDir, log }: CommandContext,
  name: string,
  { endpoint, tokenFile }: EndpointOptions,
): { readonly url: string; readonly tokenFile: string | undefined } {
  const url = endpoint === undefined ? undefined : endpointUrl(endpoint);
  const records = new DeploymentRecords(dataDir, log)
    .list()
    .filter((record) => record.servedAs === name && (url === undefined || record.url === url));
  const [record, ...others] = records;
  if (url !== undefined) return { url, tokenFile: tokenFile ?? record?.tokenFile };
  if (!record) {
    throw new SluiceError(
      'not-found',
      `Nothing was published as ${name} from here; say where: --endpoint URL.`,
    );
  }
  if (others.length > 0) {
    const urls = records.map((one) => one.url).join(', ');
    throw new SluiceError('bad-input', `${name} is published at ${urls}; say which: --endpoint URL.`);
  }
  return { url: record.url, tokenFile: tokenFile ?? record.tokenFile };
}

async function placeOf(endpoint: string, tokenFile: string | undefined): Promise<Place> {
  const url = endpointUrl(endpoint);
  const token = tokenFile === undefined ? undefined : await tokenOf(tokenFile);
  const client = new PublishClient({ url, ...(token !== undefined && { token }) });
  return { url, tokenFile: tokenFile === undefined ? undefined : resolve(tokenFile), client };
}

async function remember(
  { dataDir, log }: CommandContext,
  { url, tokenFile }: Pick<Place, 'url' | 'tokenFile'>,
  after: PublishedDeployment | undefined,
  name = after?.servedAs ?? '',
  said: DeploymentRecord['variants'] = {},
): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const records = new DeploymentRecords(dataDir, log);
  const { variants = {}, deviceVersion, endpointName = endpointNameOf(url) } = records.find(url, name) ?? {};
  if (after) {
    records.put({
      url,
      endpointName,
      ...seenOf(after),
      variants: { ...variants, ...said },
      ...(deviceVersion !== undefined && { deviceVersion }),
      ...(tokenFile !== undefined && { tokenFile }),
    });
    // A console takes its device's variant away first.
  } else if (deviceVersion === undefined) records.remove(url, name);
  await records.settled();
}

function endpointUrl(text: string): string {
  return text.replace(/\/+$/, '');
}

/** In tags, where a console would say its name. */
function endpointNameOf(url: string): string {
  return parseUrl(url)?.host ?? url;
}

function lastSeen({
  servedAs,
  model,
  stable,
  canary,
  previousVersion,
}: DeploymentRecord): PublishedDeployment {
  const nothing = { requests: 0, failures: 0 };
  return {
    servedAs,
    model,
    stable: { ...stable, ...nothing },
    ...(canary && { canary: { ...canary, ...nothing } }),
    ...(previousVersion !== undefined && { previousVersion }),
  };
}

function shown(url: string, deployment: PublishedDeployment): object {
  return { endpoint: url, ...deployment };
}

function percentOf(text: string): number {
  const percent = Number(text);
  if (text.trim() !== '' && percent >= 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('Expected a percentage from 0 to 100.');
}
