/** A GetRecommendationsResponse in the JSON mapping, and what the gateway makes of it. */
export const fullResponse = {
  requestId: 'r-7f3a',
  recommendations: [
    {
      product: {
        id: '9007199254740993',
        name: 'The Left Hand of Darkness',
        category: 'books',
        price: { currencyCode: 'EUR', units: '12', nanos: 990_000_000 },
        discount: 0.25,
        availability: 'AVAILABILITY_IN_STOCK',
      },
      score: 0.875,
      confidence: 0.5,
      reason: 'Because you like books',
    },
  ],
  generatedAt: '2026-05-04T03:02:01.250Z',
};

/** @type {import('../src/recommendation.js').RecommendationList} */
export const fullResponseRead = {
  requestId: 'r-7f3a',
  generatedAt: '2026-05-04T03:02:01.250Z',
  items: [
    {
      product: {
        id: 9007199254740993n,
        name: 'The Left Hand of Darkness',
        category: 'books',
        price: { currencyCode: 'EUR', units: 12n, nanos: 990_000_000 },
        discount: 0.25,
        availability: 'AVAILABILITY_IN_STOCK',
      },
      score: 0.875,
      confidence: 0.5,
      reason: 'Because you like books',
    },
  ],
};
