import { randomInt } from 'node:crypto';

import { engineClockMs, formatBytes, parseBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { CacheMode } from '../../contract';
import { startInferenceServer } from '../../serving';
import type { InferenceServer, Tier } from '../../serving';
import type { CommandContext, Outcome } from '../commands/context';
import { LanguageLibrary } from '../language/library/language-library';
import { weightStoreFolder } from '../language/library/weight-store-folder';
import { LibraryLanguages } from '../language/serving/language-service';
import { LibraryPrefixes } from '../language/serving/library-prefixes';
import { cacheSettingsOf, VericacheReplies } from '../language/serving/vericache-replies';
import type { ServedCache } from '../language/serving/vericache-replies';
import { ended, tlsOf, tokenOf } from '../server/listen-options';
import { openPublished, readPublished } from '../publishing/open-published';
import { libraryNames } from '../publishing/publication-changes';
import type { StoredPublications } from '../publishing/published-file';
import type { Services } from '../services';

const SEEDS = 2 ** 32;

/** Of `sluice serve`. */
export interface ServeOptions {
  readonly tier: Tier;
  readonly port: number;
  readonly grpcPort?: number;
  readonly host: string;
  readonly tokenFile?: string;
  readonly deployTokenFile?: string;
  /** Largest model that may be published, bytes. */
  readonly uploadLimit: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly budget?: string;
  /** Bytes, of each language model. */
  readonly weightsBudget?: number;
  readonly queue: number;
  readonly models?: readonly string[];
  readonly kv: CacheMode;
  readonly compressor?: string;
  readonly ratio?: number;
  /** Bytes. */
  readonly kvBudget?: number;
}

/**
 * Serves the library until SIGTERM or a cancelled context, then drains.
 * @throws SluiceError `bad-input`, `not-found`, `io`, `conflict` for options that can't be met; `engine-down`.
 */
export async function serveLibrary(
  context: CommandContext,
  options: ServeOptions,
): Promise<Outcome | undefined> {
  const token = options.tokenFile === undefined ? undefined : await tokenOf(options.tokenFile);
  const deployToken =
    options.deployTokenFile === undefined
      ? undefined
      : await tokenOf(options.deployTokenFile, '--deploy-token-file');
  const tls = await tlsOf(options);
  const cache = cacheSettingsOf(options);
  const services = await context.services();
  const library = new LanguageLibrary(context.dataDir);
  const names = servedNames(services, library, readPublished(context.dataDir), options.models);
  const budgetBytes =
    options.budget === undefined ? undefined : budgetOf(services, names.stored, options.budget);
  if (budgetBytes !== undefined) await services.setBudget(budgetBytes);
  // A variant that is asked for seldom must not have to be loaded again each time.
  await services.loaded.keepIdle(Infinity);
  const down = new AbortController();
  const { models, publisher } = await openPublished({
    services,
    dataDir: context.dataDir,
    nowMs: engineClockMs,
    random: () => randomInt(SEEDS) / SEEDS,
    budgetBytes,
    chosen: options.models && names.stored,
    isTaken: (name) => library.has(name) || services.models.list().some((model) => model.name === name),
    mostBytes: options.uploadLimit,
    onEngineDown: (error) => down.abort(error),
    log: context.log,
  });
  const replies = cache && (await VericacheReplies.open(context.dataDir, cache));
  const languages = languagesOf(context, services, library, options, replies);
  const prefixes = await LibraryPrefixes.open(context.dataDir, languages);
  const server = await startInferenceServer({
    models,
    publisher,
    languages,
    prefixes,
    tier: options.tier,
    version: services.info.version,
    appRoot: context.appRoot,
    nowMs: engineClockMs,
    host: options.host,
    port: options.port,
    queueCapacity: options.queue,
    ...(options.grpcPort !== undefined && { grpcPort: options.grpcPort }),
    ...(token !== undefined && { token }),
    ...(deployToken !== undefined && { deployToken }),
    ...(tls && { tls }),
  });
  context.print(readyOutcome(server, options.tier, names, { budgetBytes, cache }));
  try {
    await ended(context.signal, down.signal);
  } finally {
    await server.close();
    await prefixes.close();
    languages.close();
  }
  return undefined;
}

/** Language models use the engine's threads: ONNX Runtime has one pool a process. */
function languagesOf(
  { dataDir }: CommandContext,
  { info }: Services,
  library: LanguageLibrary,
  { models: names, weightsBudget }: ServeOptions,
  replies: VericacheReplies | undefined,
): LibraryLanguages {
  return new LibraryLanguages({
    library,
    threads: info.threads,
    platform: `${info.version} ${info.runtimeVersion} ${info.instructionSet}${replies?.otherText ?? ''}`,
    newSeed: () => randomInt(SEEDS),
    ...(replies && { generator: replies.generate }),
    ...(names && { names }),
    ...(weightsBudget !== undefined && {
      weights: {
        budgetBytes: weightsBudget,
        storeFolder: (path: string) => weightStoreFolder(dataDir, path),
      },
    }),
  });
}

const NONE_YET = 'none yet; "sluice models import" adds them';

interface ServedNames {
  /** As requests name them. */
  readonly networks: readonly string[];
  /** As the library does. */
  readonly stored: readonly string[];
  readonly languages: readonly string[];
}

function readyOutcome(
  { url, grpcUrl }: InferenceServer,
  tier: Tier,
  { networks, languages }: ServedNames,
  {
    budgetBytes,
    cache,
  }: { readonly budgetBytes: number | undefined; readonly cache: ServedCache | undefined },
): Outcome {
  const grpc = grpcUrl === undefined ? '' : `, gRPC ${grpcUrl}`;
  const budget = budgetBytes === undefined ? '' : ` within ${formatBytes(budgetBytes)}`;
  const kv = cache ? `, ${cache.mode} ${cache.compressor}` : '';
  return {
    json: {
      url,
      grpcUrl: grpcUrl ?? null,
      tier,
      models: [...networks, ...languages],
      ...(cache && { kv: cache }),
    },
    text:
      `Sluice ${tier} endpoint: ${url}${grpc}\n` +
      `Models${budget}: ${networks.join(', ') || NONE_YET}\n` +
      `Language models (OpenAI API at ${url}/v1${kv}): ${languages.join(', ') || NONE_YET}\nCtrl-C ends it.`,
  };
}

/** @throws SluiceError `not-found`, `bad-input` for a text pipeline. */
function servedNames(
  { models }: Services,
  library: LanguageLibrary,
  published: StoredPublications,
  chosen: readonly string[] | undefined,
): ServedNames {
  const versions = libraryNames(published);
  const publishedNames = published.models.map(({ servedAs }) => servedAs);
  const all = models.list().filter(({ task }) => task.kind !== 'text');
  const storedVersions = all.map(({ name }) => name).filter((name) => versions.has(name));
  if (!chosen) {
    const own = all.map(({ name }) => name).filter((name) => !versions.has(name));
    return {
      networks: [...new Set([...own, ...publishedNames])],
      stored: [...own, ...storedVersions],
      languages: library.list().map(({ name }) => name),
    };
  }
  const languages = chosen.filter((name) => library.has(name));
  const networks = chosen.filter((name) => !languages.includes(name) && !publishedNames.includes(name));
  for (const name of networks) {
    const { task } = models.summary(name);
    if (task.kind !== 'text') continue;
    throw new SluiceError(
      'bad-input',
      `--models: ${name} is a pipeline, which takes no tensors; serve its networks ${task.detector} and ${task.recognizer}.`,
      { name },
    );
  }
  return {
    networks: [...networks, ...publishedNames],
    stored: [...networks, ...storedVersions],
    languages,
  };
}

/** @throws SluiceError `bad-input` for what is no size. */
function budgetOf({ models }: Services, names: readonly string[], text: string): number {
  const weightBytes = names.reduce((sum, name) => sum + models.summary(name).weightBytes, 0);
  const bytes = parseBytes(text, weightBytes);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new SluiceError('bad-input', `--budget: expected bytes, a size like 64MiB, or 12%, found "${text}".`);
}
