/** The words of parallel coordinates. */
export const parallel = {
  from: (axis: string) => `${axis}, from`,
  to: (axis: string) => `${axis}, to`,
  clear: (axis: string) => `Clear the brush on ${axis}`,
  value: (axis: string, value: string) => `${axis} ${value}`,
  count: (kept: string, all: string) => `${kept} of ${all} within the brushes`,
  hint: 'Drag along an axis to keep a part of it; click a line to open it.',
};
