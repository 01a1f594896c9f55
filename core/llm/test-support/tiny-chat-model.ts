import { ggufBytes } from './gguf-writer';
import { tinyModelParts, type TinyModelOptions } from './tiny-model';

/** A begin and an end mark of a turn, after the 256 bytes. */
export const TURN_BEGIN = 256;
export const TURN_END = 257;
const VOCABULARY = 320;
const TOKEN_NORMAL = 1;
const TOKEN_CONTROL = 3;
const TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
  '<|im_start|>assistant\n';

export interface TinyChatModelOptions extends TinyModelOptions {
  /** Default `TURN_END`. */
  readonly endToken?: number;
  /** Default 2048. */
  readonly contextLength?: number;
  /** Another text for one of the tokens: another vocabulary. */
  readonly renamed?: readonly [token: number, text: string];
}

/** The tiny model with a tokenizer of one token a byte, marks of turns and a chat template. */
export function tinyChatModel(options: TinyChatModelOptions = {}): Uint8Array {
  return ggufBytes(tinyChatModelParts(options));
}

export function tinyChatModelParts({
  endToken = TURN_END,
  contextLength = 2048,
  renamed,
  ...options
}: TinyChatModelOptions = {}): ReturnType<typeof tinyModelParts> {
  const { metadata, tensors } = tinyModelParts(options);
  // Tokens beyond the bytes and marks: two letters each.
  const pairs = Array.from({ length: VOCABULARY - TURN_END - 1 }, (_, index) => {
    const letter = (at: number): string => String.fromCharCode('a'.charCodeAt(0) + (at % 26));
    return `${letter(index)}${letter(index + 1 + Math.floor(index / 26))}`;
  });
  const tokens = [...byteLetters(), '<|im_start|>', '<|im_end|>', ...pairs];
  if (renamed) tokens[renamed[0]] = renamed[1];
  const types = tokens.map((_, id) => (id === TURN_BEGIN || id === TURN_END ? TOKEN_CONTROL : TOKEN_NORMAL));
  return {
    metadata: [
      ...metadata.map((entry) =>
        entry[0].endsWith('.context_length') ? ([entry[0], 'uint32', contextLength] as const) : entry,
      ),
      ['tokenizer.ggml.model', 'string', 'gpt2'],
      ['tokenizer.ggml.pre', 'string', 'smollm'],
      ['tokenizer.ggml.tokens', 'array', tokens],
      ['tokenizer.ggml.token_type', 'array', types, 'int32'],
      ['tokenizer.ggml.merges', 'array', []],
      ['tokenizer.ggml.eos_token_id', 'uint32', endToken],
      ['tokenizer.chat_template', 'string', TEMPLATE],
    ],
    tensors,
  };
}

/** GPT-2's letters of bytes, in the order of the bytes (`bytes_to_unicode` of its encoder.py). */
function byteLetters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}
