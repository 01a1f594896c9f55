/**
 * Works on a session until it is killed: appends blocks, drops some, keeps a tail and a conversation. It says what it is
 * about to do and what it has done, a line of JSON each.
 */
import { seededRandom, systemClock } from '../../../base';
import { BLOCK_TOKENS } from '../../full-cache';
import { CacheReaderPool } from '../cache-reader-pool';
import type { CacheShape } from '../cache-layout';
import type { DiskCache } from '../disk-cache';
import type { Session } from '../session';
import { SessionStore } from '../session-store';
import { append, fillRows, IDENTITY, makeRows } from './made-cache';

export interface WriterLine {
  readonly kind: 'will' | 'did';
  readonly blocks: number;
}

const say = (line: WriterLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function keepTail(cache: DiskCache, random: () => number): Promise<void> {
  const tokens = Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 50_000));
  const layers = Array.from({ length: cache.layout.shape.layers }, () => makeRows(cache.layout.shape, 20));
  layers.forEach((rows, layer) => fillRows(cache.layout, rows, 0, layer, tokens));
  await cache.saveTail(tokens, (layer) => ({ rows: layers[layer]!, row: 0 }));
}

async function work(session: Session, cache: DiskCache, random: () => number): Promise<never> {
  for (let step = 0; ; step += 1) {
    const isFull = cache.blocks + 2 > cache.layout.capacityBlocks;
    const isDropping = isFull || (cache.blocks > 0 && random() < 0.2);
    const blocks = isDropping
      ? Math.floor(random() * cache.blocks)
      : cache.blocks + 1 + Math.floor(random() * 2);
    say({ kind: 'will', blocks });
    if (isDropping) await cache.truncate(blocks);
    else await append(cache, blocks, step);
    say({ kind: 'did', blocks });
    await keepTail(cache, random);
    await session.writeConversation({ turns: step, tokens: cache.blocks * BLOCK_TOKENS });
  }
}

async function start([root = '', id = '', shapeText = '', seed = '']: readonly string[]): Promise<void> {
  const session = await new SessionStore(root, systemClock).open(id);
  const shape = JSON.parse(shapeText) as CacheShape;
  const cache = await session.openCache({ shape, identity: IDENTITY, pool: CacheReaderPool.start() });
  say({ kind: 'did', blocks: cache.blocks });
  await work(session, cache, seededRandom(Number(seed)));
}

void start(process.argv.slice(2));
