import { join } from 'node:path';

import type { Random } from '../../base';
import type { SluiceError } from '../../contract';
import type { Publisher, ServedModels } from '../../serving';
import { LibraryModels } from '../serve/served-models';
import type { Services } from '../services';
import type { Log } from '../state-file';
import { LibraryPublisher } from './library-publisher';
import { libraryNames } from './publication-changes';
import { PublishedFile } from './published-file';
import type { StoredPublications } from './published-file';
import { PublishedModels } from './published-models';

export interface PublishedParts {
  readonly services: Pick<Services, 'models' | 'planner' | 'loaded'>;
  readonly dataDir: string;
  readonly nowMs: () => number;
  /** Decides which version takes a request. */
  readonly random: Random;
  readonly budgetBytes: number | undefined;
  /** Of the library's own models those that are served; absent: all. What is published is served whatever this says. */
  readonly chosen: readonly string[] | undefined;
  readonly isTaken: (name: string) => boolean;
  /** Largest model that is taken, bytes. */
  readonly mostBytes: number;
  readonly onEngineDown: (error: SluiceError) => void;
  readonly log: Log;
}

export interface Published {
  readonly models: ServedModels;
  readonly publisher: Publisher;
}

function openFile(dataDir: string, nowMs: () => number): PublishedFile {
  return new PublishedFile(join(dataDir, 'published.json'), nowMs);
}

/** What is published in a data folder. @throws SluiceError `corrupt-store`, `io`. */
export function readPublished(dataDir: string): StoredPublications {
  return openFile(dataDir, () => 0).current;
}

/** The library's networks for a server, and what takes published ones into it. @throws SluiceError `corrupt-store`, `io`. */
export async function openPublished(parts: PublishedParts): Promise<Published> {
  const { services, dataDir, nowMs, random, budgetBytes, chosen, isTaken, mostBytes, log } = parts;
  const file = openFile(dataDir, nowMs);
  const { models, planner, loaded } = services;
  const served = new LibraryModels({
    models,
    planner,
    loaded,
    nowMs,
    onEngineDown: parts.onEngineDown,
    ...(budgetBytes !== undefined && { budgetBytes }),
    ...(chosen && { serves: servesOf(chosen, file) }),
  });
  const publisher = await LibraryPublisher.open({ dataDir, file, models, served, isTaken, mostBytes, log });
  return { models: new PublishedModels(served, file, random), publisher };
}

function servesOf(chosen: readonly string[], file: PublishedFile): (name: string) => boolean {
  return (name) => chosen.includes(name) || libraryNames(file.current).has(name);
}
