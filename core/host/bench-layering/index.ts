import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../../contract';
import { Engine, minimumBudget, ModelLibrary, profileStore, readManifest } from '../../layering';
import { OrtEnvironment, OrtSession } from '../../ort';
import { writeZooModel, zooNetwork } from '../../zoo';
import { benchEnvironment, type BenchEnvironment } from './environment';
import { benchNetwork, type NetworkFiles } from './network-bench';
import type { Bar } from '../bench/bar';
import { judge, toRow, type BenchRow } from './rows';

export interface LayeringBenchOptions {
  /** Zoo ids; default: the seven published networks. */
  readonly networks?: readonly string[];
  readonly threads?: number;
  /** Bursts of every side, in turn. */
  readonly rounds?: number;
  /** Where networks and stores are written (about 6 GB for all); kept for the next run. */
  readonly workDir?: string;
  readonly log?: (message: string) => void;
}

export interface LayeringBenchReport {
  readonly environment: BenchEnvironment;
  readonly networks: readonly {
    readonly network: string;
    readonly weightBytes: number;
    /** Direct reads with nothing else going on. */
    readonly readBytesPerSec: number;
    /** CPU time that computing on all threads loses to a gigabyte of reads, milliseconds. */
    readonly readCpuMsPerGB: number;
  }[];
  readonly rows: readonly BenchRow[];
  readonly bars: readonly Bar[];
}

const WEIGHT_SEED = 1;
const DEFAULT_ROUNDS = 7;
const READERS = 2;

/** Ids of the published networks, in the order of the report. */
const BENCH_NETWORKS: readonly string[] = [
  'vgg-16',
  'resnet-152',
  'densenet-201',
  'mobilenet-v1',
  'yolo-v4',
  'vit-b-16',
  'bert-base',
];

/**
 * Measures Demand Layering on reference networks against whole-model and memory-mapped ONNX Runtime: all sides in
 * turn within one run, each in a process of its own.
 * @throws SluiceError `bad-input` for an unknown network.
 */
export async function benchLayering(options: LayeringBenchOptions = {}): Promise<LayeringBenchReport> {
  const log = options.log ?? ((): void => undefined);
  const workDir = options.workDir ?? join(tmpdir(), 'sluice-bench');
  const scratchDir = join(workDir, 'scratch');
  await mkdir(scratchDir, { recursive: true });
  const threads = options.threads ?? availableParallelism();
  const engine = await Engine.start({ threads, readers: READERS });
  const environment = benchEnvironment(workDir, engine.info, READERS);
  const rows: BenchRow[] = [];
  const networks: LayeringBenchReport['networks'][number][] = [];
  try {
    for (const id of options.networks ?? BENCH_NETWORKS) {
      log(`${id}: preparing`);
      const files = await prepare(engine, id, workDir);
      log(`${id}: measuring`);
      const rounds = options.rounds ?? DEFAULT_ROUNDS;
      const measured = await benchNetwork(files, {
        rounds,
        threads,
        scratchDir,
        log: (text) => log(`${id}: ${text}`),
      });
      const resident = measured.sides.find((side) => side.side === 'resident');
      if (!resident || resident.error)
        throw new SluiceError('runtime', `${id}: ${resident?.error ?? 'no resident side'}`);
      const context = {
        network: id,
        weightBytes: files.weightBytes,
        disk: measured.disk,
        threads,
        resident,
        layers: readManifest(files.storePath).layers.map((layer, index) => ({
          computeMs: measured.profile.layerMs[index] ?? 0,
          byteLength: layer.gather ? 0 : layer.byteLength,
        })),
      };
      networks.push({
        network: id,
        weightBytes: files.weightBytes,
        readBytesPerSec: Math.round(measured.disk.readBytesPerSec),
        readCpuMsPerGB: Math.round(measured.disk.cpuMsPerGB),
      });
      for (const side of measured.sides) {
        const row = toRow(context, side);
        rows.push(row);
        log(formatRow(row));
      }
    }
  } finally {
    await engine.close();
    await rm(scratchDir, { recursive: true, force: true });
  }
  return { environment, networks, rows, bars: judge(rows) };
}

/** Writes the network, compiles and profiles its store, and saves the graph for memory mapping. */
async function prepare(engine: Engine, id: string, workDir: string): Promise<NetworkFiles> {
  const network = zooNetwork(id);
  const sourcePath = join(workDir, `${id}.onnx`);
  if (!existsSync(sourcePath)) await writeZooModel(network, sourcePath, { seed: WEIGHT_SEED });
  const library = await ModelLibrary.open(workDir, engine.info);
  const known = library.list().find((model) => model.name === id);
  if (known?.state !== 'ready') {
    const { threads } = engine.info;
    await library.import(
      { sourcePath, name: id, threads, replace: true },
      () => undefined,
      new AbortController().signal,
    );
  }
  const storePath = library.storePath(id);
  await profileStore(engine, storePath);
  const manifest = readManifest(storePath);
  const mappedPath = saveMapped(sourcePath, workDir, id);
  const leastBytes = minimumBudget(manifest, 'async');
  return { id, storePath, sourcePath, mappedPath, weightBytes: manifest.weightBytes, leastBytes };
}

/** The optimised graph with its weights in a file beside it, which ONNX Runtime maps instead of reading. */
function saveMapped(sourcePath: string, workDir: string, id: string): string {
  const path = join(workDir, `${id}.mapped.onnx`);
  if (existsSync(path)) return path;
  const environment = OrtEnvironment.open({ threads: 1 });
  const session = OrtSession.create(environment, sourcePath, {
    optimization: 'all',
    optimizedModelPath: path,
    config: {
      'session.optimized_model_external_initializers_file_name': `${id}.mapped.weights`,
      'session.optimized_model_external_initializers_min_size_in_bytes': '1024',
      'session.disable_prepacking': '1',
    },
  });
  session.release();
  environment.close();
  return path;
}

function formatRow(row: BenchRow): string {
  if (row.error) return `${row.network} ${row.side}: ${row.error}`;
  const memory = `${(row.parameterMemoryBytes / 1e6).toFixed(1)} MB (-${row.reductionPct}%)`;
  return (
    `${row.network} ${row.side}: ${row.medianMs} ms (p10 ${row.p10Ms}, p90 ${row.p90Ms}), ${memory}, ` +
    `overhead ${row.overheadPct}%, limit ratio ${row.limitRatio}, bound ratio ${row.boundRatio}, predicted ${row.predictedMs} (${row.predictionErrorPct}%; before the run ${row.errorBeforePct}%), ` +
    `anon ${(row.anonBytes / 1e6).toFixed(0)} MB, equal ${String(row.outputsEqual)}`
  );
}
