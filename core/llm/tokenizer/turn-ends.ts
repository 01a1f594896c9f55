/** Ends of a turn that files do not always name as such (as in src/llama-vocab.cpp of llama.cpp). */
export const TURN_ENDS: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|endoftext|>',
  '<|eom_id|>',
  '<end_of_turn>',
  '</s>',
]);
