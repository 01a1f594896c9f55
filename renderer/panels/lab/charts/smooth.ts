/**
 * Exponential moving average with the bias of its start taken out, as in Kingma and Ba 2015 (arXiv 1412.6980, section
 * 3): the average so far divided by 1 - weight^n. What is no finite number stays as it is and is left out of the average.
 * @param weight of what came before, from 0 (nothing changes) to below 1.
 */
export function smoothed(values: Float64Array, weight: number): Float64Array {
  if (weight <= 0) return values;
  const out = new Float64Array(values.length);
  let average = 0;
  let share = 1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      out[index] = value;
      continue;
    }
    average = weight * average + (1 - weight) * value;
    share *= weight;
    out[index] = average / (1 - share);
  }
  return out;
}
