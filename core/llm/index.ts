export { Decoder } from './decoder/decoder';
export { readGguf } from './gguf/read-gguf';
export { ChatTemplate } from './tokenizer/chat-template';
export { tokenizerFromGguf } from './tokenizer/gguf-tokenizer';
export { Tokenizer } from './tokenizer/tokenizer';
