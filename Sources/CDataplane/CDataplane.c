#include "CDataplane.h"
