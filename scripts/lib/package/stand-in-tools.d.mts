export function makeStandInTools(folder: string): Promise<string | undefined>;
