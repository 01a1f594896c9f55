export { Tour } from './tour';
export { TourOffer } from './tour-offer';
export { startTour } from './tour-steps';
