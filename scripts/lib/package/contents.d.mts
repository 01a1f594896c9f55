export function filesUnder(folder: string): readonly string[];
export function bytesUnder(folder: string): number;
export function foreignFiles(folder: string, options: { readonly arch: string }): readonly string[];
