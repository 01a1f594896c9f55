import { describe, expect, it } from 'vitest';

import { lastWordLine, processEndText } from './process-end';

const NOTE = 'engine: gpu: no GPU that tells its use was found\n';

describe('the end of a process', () => {
  it('is told with its last word, whatever notes came before and after', () => {
    const log = `${NOTE}${lastWordLine('the data folder has version 2.\nUse another.')}${NOTE}`;
    expect(processEndText({ code: 78, log })).toBe(
      'ended with code 78: the data folder has version 2.\nUse another.',
    );
  });

  it('is told by its signal, never by a note', () => {
    expect(processEndText({ code: 9, signal: 'SIGKILL', log: NOTE })).toBe(
      'ended by SIGKILL (by a person, or by the system because memory ran out) without saying why; ' +
        'last lines of its log: engine: gpu: no GPU that tells its use was found',
    );
    expect(processEndText({ code: 6, signal: 'SIGABRT', log: '' })).toBe(
      'ended by SIGABRT and wrote nothing',
    );
  });

  it('is told with what V8 says when its heap is full, above a page of its own notes', () => {
    const log = `${NOTE}\n<--- Last few GCs --->\n\n[1:0x1] 20 ms: Mark-Compact\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n 1: 0xb6 node::Abort()\n`;
    expect(processEndText({ code: 134, signal: 'SIGABRT', log })).toBe(
      'ended by SIGABRT: Reached heap limit Allocation failed - JavaScript heap out of memory',
    );
  });

  it('is told with an error that Node printed, without its stack', () => {
    const log =
      '/app/engine.js:1\nconst a = ;\n          ^\n\nSyntaxError: Unexpected token\n    at wrapSafe (node:internal)\n\nNode.js v22.12.0\n';
    expect(processEndText({ code: 1, log })).toBe(
      'ended with code 1 without saying why; last lines of its log: /app/engine.js:1 | const a = ; | SyntaxError: Unexpected token',
    );
  });

  it('goes by the last lines where the last word was cut off', () => {
    expect(processEndText({ code: 1, log: 'last word: "half\n' })).toMatch(
      /last lines of its log: last word/,
    );
  });
});
