/** The first-run tour. */
export const tour = {
  name: 'Tour',
  offer: 'New here? See a network read a photo in a fraction of its memory. It takes about a minute.',
  take: 'Take the tour',
  resume: 'Go on with the tour',
  notNow: 'Not now',
  next: 'Next',
  back: 'Back',
  leave: 'Leave the tour',
  finish: 'Finish',
  at: (step: number, steps: number): string => `Step ${step} of ${steps}`,
  keys: 'Enter or → goes on, ← back, Esc leaves; the palette resumes it.',
  failed: 'This step did not work',
  steps: {
    example: {
      title: 'A model to run',
      text: 'Two small networks that find and read text come with Sluice. Importing compiles them into layers on disk.',
      act: 'Import the example',
      busy: 'Compiling the two networks…',
      done: (name: string): string => `${name} is here.`,
    },
    run: {
      title: 'Run it in less memory',
      text: (budget: string, whole: string): string =>
        `Its weights take ${whole}. Run it with a budget of ${budget}: layers stream from the SSD while it computes.`,
      act: 'Run it',
      busy: 'Running…',
    },
    text: {
      title: 'This is what it read',
      text: (latency: string, budget: string): string =>
        `The text of the photo, in ${latency}, with no more than ${budget} of weights in memory. The answer is the same, bit for bit, as with all of it.`,
    },
    curve: {
      title: 'Memory against delay',
      text: 'The line predicts the latency for every budget. Drag it, or use the arrow keys: below, you see which layers would stay in memory.',
      act: 'Move the budget by keyboard',
      moved: (budget: string): string => `The budget is ${budget} now. Enter goes on.`,
    },
    timeline: {
      title: 'Where the time went',
      text: 'Every read, computation and wait of that run. A stall is a wait of compute for the disk; N goes from one to the next.',
    },
    end: {
      title: 'That is Sluice',
      text: (model: string, budget: string, lines: number): string =>
        `${model} read ${lines} lines of text within ${budget}. From here:`,
      language: 'Chat with a language model',
      lab: 'Train something in the Lab',
      fleet: 'Watch several boxes',
    },
  },
} as const;
