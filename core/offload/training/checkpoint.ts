import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Agent, AgentMemory } from '../agents/agent';
import { createAgent } from '../agents/registry';
import { faultTexts, SluiceError } from '../../contract';
import { choiceName } from '../scenario/system';
import type { System } from '../scenario/system';

const FORMAT = 'sluice-offload-checkpoint';
const VERSION = 1;
const DTYPES = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

const encodedArray = z.strictObject({ dtype: z.enum(['float32', 'float64', 'int32']), base64: z.base64() });

const body = z.strictObject({
  agent: z.string(),
  users: z.int().min(1),
  /** `edge d4`, in the order of choice numbers: weights mean nothing for other choices. */
  choices: z.array(z.string()),
  numbers: z.record(z.string(), z.number()),
  arrays: z.record(z.string(), encodedArray),
});

const envelope = z.looseObject({ format: z.literal(FORMAT), version: z.number() });
const checkpoint = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  sha256: z.string(),
  body,
});

/** Text of a checkpoint. @throws SluiceError `unsupported` for an agent that does not learn. */
export function encodeCheckpoint(agent: Agent): string {
  const memory = agent.memory();
  if (!memory) {
    throw new SluiceError('unsupported', `${agent.id} does not learn: there is nothing to save.`);
  }
  const content = {
    agent: agent.id,
    users: agent.system.users,
    choices: choiceNames(agent.system),
    numbers: memory.numbers,
    arrays: Object.fromEntries(
      Object.entries(memory.arrays).map(([name, array]) => [name, encodeArray(array)]),
    ),
  };
  return JSON.stringify({ format: FORMAT, version: VERSION, sha256: digest(content), body: content });
}

/**
 * Makes an agent of a checkpoint. For another number of users than it was learned with, what was learned is
 * transferred as far as the agent can.
 * @param origin names the checkpoint in messages, as its path does.
 * @throws SluiceError `bad-input` when it is damaged or was learned with other choices, `unsupported` for another
 * version or a transfer the agent can't do.
 */
export function decodeCheckpoint(text: string, origin: string, system: System, seed: number): Agent {
  const content = parseCheckpoint(text, origin);
  const known = choiceNames(system);
  if (content.choices.join() !== known.join()) {
    throw new SluiceError(
      'bad-input',
      `${origin}: learned with the choices ${content.choices.join(', ')}; the scenario has ${known.join(', ')}.`,
    );
  }
  const agent = createAgent(content.agent, system, seed);
  const arrays = Object.fromEntries(
    Object.entries(content.arrays).map(([name, array]) => [name, decodeArray(array, `${origin}: ${name}`)]),
  );
  agent.restore({ numbers: content.numbers, arrays }, content.users);
  return agent;
}

function parseCheckpoint(text: string, origin: string): z.infer<typeof body> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw corrupt(origin, `it is no JSON (${reason})`, cause);
  }
  const head = envelope.safeParse(json);
  if (!head.success) throw corrupt(origin, `it does not say "${FORMAT}"`, head.error);
  // No build wrote a lower one: it is damage, of which a copy is kept.
  if (head.data.version < VERSION)
    throw corrupt(origin, `expected version ${VERSION}, found ${head.data.version}`);
  if (head.data.version > VERSION) {
    throw new SluiceError(
      'unsupported',
      `${origin}: checkpoint version ${head.data.version}; this build reads version ${VERSION}. Train anew, or use the build that wrote it.`,
      { path: origin, found: head.data.version, known: VERSION },
    );
  }
  const parsed = checkpoint.safeParse(json);
  if (!parsed.success) {
    throw corrupt(origin, faultTexts(parsed.error.issues).join('; '), parsed.error);
  }
  const found = digest(parsed.data.body);
  if (found !== parsed.data.sha256) {
    throw corrupt(origin, `its checksum is ${found}, expected ${parsed.data.sha256}`);
  }
  return parsed.data.body;
}

function corrupt(origin: string, what: string, cause?: unknown): SluiceError {
  return new SluiceError(
    'bad-input',
    `${origin} is no usable checkpoint: ${what}. It was left as it is; restore a copy or train anew.`,
    { origin },
    { cause },
  );
}

function choiceNames(system: System): string[] {
  return Array.from({ length: system.choices }, (_, choice) => choiceName(system, choice));
}

function digest(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function encodeArray(array: AgentMemory['arrays'][string]): z.infer<typeof encodedArray> {
  const dtype =
    array instanceof Float32Array ? 'float32' : array instanceof Float64Array ? 'float64' : 'int32';
  return { dtype, base64: Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64') };
}

function decodeArray(
  { dtype, base64 }: z.infer<typeof encodedArray>,
  origin: string,
): AgentMemory['arrays'][string] {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const Array = DTYPES[dtype];
  if (bytes.length % Array.BYTES_PER_ELEMENT !== 0) {
    throw corrupt(origin, `${bytes.length} bytes are no whole number of ${dtype} values`);
  }
  return new Array(bytes.buffer);
}
