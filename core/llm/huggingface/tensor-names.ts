/** What transformers and GGUF (the decoder) call the tensors that belong to no layer. */
const OUTSIDE: ReadonlyMap<string, string> = new Map([
  ['model.embed_tokens.weight', 'token_embd.weight'],
  ['model.norm.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
]);
const LAYER_PARTS: ReadonlyMap<string, string> = new Map([
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.q_norm', 'attn_q_norm'],
  ['self_attn.k_norm', 'attn_k_norm'],
  ['self_attn.o_proj', 'attn_output'],
  ['post_attention_layernorm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
]);
const PART_NAMES: ReadonlyMap<string, string> = new Map(
  [...LAYER_PARTS].map(([ours, theirs]) => [theirs, ours]),
);
const OUTSIDE_NAMES: ReadonlyMap<string, string> = new Map(
  [...OUTSIDE].map(([ours, theirs]) => [theirs, ours]),
);

/** The decoder's name of a tensor; undefined for one that no supported architecture has. */
export function decoderName(name: string): string | undefined {
  const [, layer, part, kind] = /^model\.layers\.(0|[1-9]\d*)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const known = part === undefined ? undefined : LAYER_PARTS.get(part);
  return known === undefined ? OUTSIDE.get(name) : `blk.${layer}.${known}.${kind}`;
}

/** The other way round; for messages. */
export function folderName(name: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const known = part === undefined ? undefined : PART_NAMES.get(part);
  return known === undefined ? (OUTSIDE_NAMES.get(name) ?? name) : `model.layers.${layer}.${known}.${kind}`;
}

/** Written by old versions of transformers: what the configuration says already. */
export function isDerived(name: string): boolean {
  return /\.rotary_emb\.inv_freq$/.test(name);
}
