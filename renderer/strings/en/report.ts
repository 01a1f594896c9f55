/** Words of what saves reports. */
export const report = {
  save: 'Save report',
  saveHint: 'One HTML file with the figures and plots, to send around; printing it gives a PDF',
  pdf: 'PDF',
  pdfHint: 'The same report as a PDF file',
  busy: 'Making the report…',
  saved: (where: string): string => `Report saved: ${where}`,
  failed: 'The report was not saved',
};
